"""Reading graphs from files that may be anything: GraphML and networkx node-link JSON, and the shipped
samples."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

import networkx as nx

from simnet.core.errors import UnknownName
from simnet.topology.base import TopologyError

SAMPLES = Path(__file__).parent / "samples"
MAX_BYTE = 64 * 2**20
MALFORMED = (
    nx.NetworkXException,
    ParseError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
    StopIteration,
)
"""What networkx lets through when a well-formed file isn't a graph."""


def sample_file(name: str) -> Path:
    """The file of a shipped sample.

    Raises:
        UnknownName: there is none of that name.
    """
    known = {path.stem: path for path in SAMPLES.glob("*.json")}
    if name not in known:
        raise UnknownName("topology sample", name, known)
    return known[name]


def read_graph(path: Path) -> nx.Graph:
    """The graph of a ``.graphml`` or ``.json`` file, directed or not, as networkx gives it.

    Raises:
        TopologyError: it can't be read, is no graph, is larger than 64 MiB, or declares XML entities.
    """
    readers = {".graphml": _graphml, ".json": _node_link}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TopologyError(f"{path}: got a file of type {path.suffix!r}; allowed: {', '.join(readers)}")
    try:
        if not path.is_file():
            raise TopologyError(f"{path}: no such file")
        if path.stat().st_size > MAX_BYTE:
            raise TopologyError(f"{path}: {path.stat().st_size} bytes; allowed: at most {MAX_BYTE}")
        raw = path.read_bytes()
    except OSError as error:
        raise TopologyError(f"{path}: cannot be read: {error}") from error
    try:
        return reader(raw)
    except MALFORMED as error:
        raise TopologyError(f"{path}: not a graph that networkx can read: {error}") from error


def _graphml(raw: bytes) -> nx.Graph:
    _refuse_doctype(raw)
    return nx.read_graphml(io.BytesIO(raw))


def _refuse_doctype(raw: bytes) -> None:
    """GraphML needs no DOCTYPE, and without one there are no entities, so no entity bombs and no outside
    files."""

    def refuse(*_: object) -> None:
        raise ValueError("it has a DOCTYPE, which could hold an entity bomb; remove the DOCTYPE")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise ValueError(f"malformed XML: {error}") from error


def _node_link(raw: bytes) -> nx.Graph:
    data = json.loads(raw)
    if not isinstance(data, dict) or "nodes" not in data:
        raise ValueError("the JSON document has no 'nodes'")
    edges = next((key for key in ("edges", "links") if key in data), None)
    if edges is None:
        raise ValueError("the JSON document has neither 'edges' nor 'links'")
    return nx.node_link_graph(data, edges=edges)
