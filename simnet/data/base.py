"""What every data set gives: labelled images of one split, with the hash of their content."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError, UnknownName

Split = Literal["train", "val", "test", "sample"]
Labels: TypeAlias = NDArray[np.int64] | NDArray[np.uint8]
ROOT_VARIABLE = "SIMNET_DATA"


class DataError(SimnetError):
    """A data set's file is missing, truncated or not what its name says."""


@dataclass(frozen=True)
class ImageSet:
    """Labelled images of one split, in the order of the source files.

    Args:
        images: [N, C, H, W] uint8, 0 (black) … 255.
        labels: indices into ``class_names``: [N] int64, one per image, or [N, H, W] uint8, one per pixel.
        sha256: hex digest over shape, pixels and labels; it doesn't depend on the file format.
        test_indices: for ``sample``, [N] int64, where each image stands in the test split; else None.
    """

    name: str
    split: Split
    images: NDArray[np.uint8]
    labels: Labels
    class_names: tuple[str, ...]
    sha256: str
    test_indices: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, n: int | None) -> ImageSet:
        """The first n images (None: all), whose hash is their own."""
        if n is None or n >= len(self):
            return self
        images, labels = self.images[:n], self.labels[:n]
        indices = None if self.test_indices is None else self.test_indices[:n]
        digest = content_hash(images, labels)
        return replace(self, images=images, labels=labels, sha256=digest, test_indices=indices)


class Dataset(ABC):
    """Base of the data-set plug-ins. The plug-in's file is named as the set: ``mnist``, ``cifar10`` …"""

    name: ClassVar[str]
    class_names: ClassVar[tuple[str, ...]]
    image_shape: ClassVar[tuple[int, int, int]]
    """(C, H, W)"""
    folder_name: ClassVar[str | None] = None
    """Folder below the root, where it isn't named as the set."""
    splits: ClassVar[tuple[Split, ...]] = ("train", "test", "sample")
    dense: ClassVar[bool] = False
    """Whether every pixel has a label; the last class is then ``unlabelled`` and counts in no loss and no score."""

    def load(self, split: Split, root: Path | None = None) -> ImageSet:
        """The images of one split.

        Args:
            split: one of ``splits``; ``sample``: test images that are shipped; the others are read from ``root``.
            root: folder that holds the set's files or a folder named as the set; default: $SIMNET_DATA.

        Raises:
            DataError: no such folder, a file is missing, truncated, damaged or holds labels out of range.
        """
        self._known(split)
        test_indices = None
        if split == "sample":
            folder = Path(__file__).parent / "samples" / self.name
            images, labels = self._read("test", folder)
            test_indices = _read_test_indices(folder / "test_indices.txt", len(labels))
        else:
            images, labels = self._read(split, self._folder(root))
        self._check(images, labels, split)
        return ImageSet(
            name=self.name,
            split=split,
            images=images,
            labels=labels,
            class_names=self.class_names,
            sha256=content_hash(images, labels),
            test_indices=test_indices,
        )

    def _known(self, split: Split) -> Split:
        if split not in self.splits:
            raise UnknownName(f"split of data set {self.name}", split, self.splits)
        return split

    @abstractmethod
    def _read(self, split: str, folder: Path) -> tuple[NDArray[np.uint8], Labels]:
        """Images [N, C, H, W] uint8 and labels, [N] int64 or [N, H, W] uint8, from the files of one folder."""

    def _folder(self, root: Path | None) -> Path:
        chosen = root if root is not None else os.environ.get(ROOT_VARIABLE)
        if not chosen:
            raise DataError(
                f"data set {self.name}: no folder given; pass --data DIR or set ${ROOT_VARIABLE} "
                f"('simnet data fetch {self.name}' downloads it where a source is known)"
            )
        folder = Path(chosen)
        if not folder.is_dir():
            raise DataError(f"data set {self.name}: no folder {folder}; pass --data DIR or set ${ROOT_VARIABLE}")
        own = folder / (self.folder_name or self.name)
        return own if own.is_dir() else folder

    def _check(self, images: NDArray[np.uint8], labels: Labels, split: str) -> None:
        where = f"data set {self.name}, split {split}"
        if images.shape[1:] != self.image_shape:
            raise DataError(f"{where}: got images of shape {images.shape[1:]}; expected {self.image_shape} (C, H, W)")
        if len(images) != len(labels):
            raise DataError(f"{where}: got {len(images)} images and {len(labels)} labels; their numbers must agree")
        wanted = (len(labels), *self.image_shape[1:]) if self.dense else (len(labels),)
        if labels.shape != wanted:
            raise DataError(f"{where}: got labels of shape {labels.shape}; expected {wanted}")
        if len(labels) == 0:
            raise DataError(f"{where}: got no images at all; fetch the files anew")
        if labels.min() < 0 or labels.max() >= len(self.class_names):
            raise DataError(
                f"{where}: got labels {labels.min()}..{labels.max()}; allowed 0..{len(self.class_names) - 1}"
            )


def content_hash(images: NDArray[np.uint8], labels: Labels) -> str:
    """SHA-256 over shape, pixels and labels, as hex."""
    digest = hashlib.sha256(repr(images.shape).encode())
    digest.update(np.ascontiguousarray(images).data)
    digest.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return digest.hexdigest()


def require_file(folder: Path, *names: str) -> Path:
    """The first of ``names`` that exists in ``folder``.

    Raises:
        DataError: none does; the message lists the names looked for.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(f"{folder}: none of these files is there: {', '.join(names)}")


def _read_test_indices(path: Path, n: int) -> NDArray[np.int64]:
    try:
        indices = np.array(path.read_text(encoding="ascii").split(), dtype=np.int64)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as whole numbers ({error}); reinstall simnet") from error
    if len(indices) != n:
        raise DataError(f"{path}: got {len(indices)} indices for {n} images; reinstall simnet")
    return indices
