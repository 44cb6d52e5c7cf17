"""Rows of numbers side by side in SIMD registers, as LLVM instructions for numba's compiler.

What numba's own vectoriser makes of inner loops over a few dozen numbers goes through memory at every step, and every
row is checked for overlap with every other. Where that matters, in the LDPC decoder and in the demapper, the
instructions are written with these classes. On machines with narrower registers LLVM splits the rows.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba.core import cgutils

ALIGNMENT = 64
"""Bytes; every row begins at a multiple of it."""
I8, I16, I32, I64, F32 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()


class Lanes:
    """The operations of a row, as LLVM instructions; subclasses know the type of a lane."""

    element: Any
    mask_element: Any

    def __init__(self, builder: Any, width: int) -> None:
        self.builder = builder
        self.width = width
        self.type = ir.VectorType(self.element, width)
        self.mask_type = ir.VectorType(self.mask_element, width)

    def constant(self, value: float, kind: Any = None) -> Any:
        kind = kind or self.type
        return ir.Constant(kind, [ir.Constant(kind.element, value)] * self.width)

    def splat(self, scalar: Any, kind: Any = None) -> Any:
        kind = kind or self.type
        one = self.builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(I32, 0))
        first = ir.Constant(ir.VectorType(I32, self.width), [0] * self.width)
        return self.builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), first)

    def _row(self, data: Any, row: Any, kind: Any) -> Any:
        pointer = self.builder.bitcast(data, kind.as_pointer())
        return self.builder.gep(pointer, [row])

    def load(self, data: Any, row: Any, kind: Any = None) -> Any:
        return self.builder.load(self._row(data, row, kind or self.type), align=ALIGNMENT)

    def store(self, value: Any, data: Any, row: Any) -> None:
        self.builder.store(value, self._row(data, row, value.type), align=ALIGNMENT)

    def variable(self, start: Any) -> Any:
        """A running value; LLVM keeps it in a register."""
        place = cgutils.alloca_once(self.builder, start.type)  # type: ignore[no-untyped-call]
        self.builder.store(start, place)
        return place

    def call(self, name: str, *operands: Any) -> Any:
        function_type = ir.FunctionType(self.type, [operand.type for operand in operands])
        full_name = f"llvm.{name}.v{self.width}{self.suffix}"
        module = self.builder.module
        function = cgutils.get_or_insert_function(module, function_type, full_name)  # type: ignore[no-untyped-call]
        return self.builder.call(function, operands)

    suffix: str

    def any_negative(self, mask: Any) -> Any:
        """int64 whose bit ``lane`` tells that this lane of ``mask`` is negative."""
        negative = self.builder.icmp_signed("<", mask, self.constant(0, self.mask_type))
        bits = self.builder.bitcast(negative, ir.IntType(self.width))
        return bits if self.width == 64 else self.builder.zext(bits, I64)


class Float32Lanes(Lanes):
    element, mask_element, suffix = F32, I32, "f32"
    largest = float("inf")

    def signs(self, value: Any) -> Any:
        return self.builder.bitcast(value, self.mask_type)

    def masked(self, value: Any, mask: Any) -> Any:
        return self.builder.bitcast(self.builder.and_(self.signs(value), mask), self.type)

    def difference(self, a: Any, b: Any) -> Any:
        return self.builder.fsub(a, b)

    def sum(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b)

    def size(self, value: Any) -> Any:
        return self.call("fabs", value)

    def smaller(self, a: Any, b: Any) -> Any:
        return self.builder.select(self.builder.fcmp_ordered("<", a, b), a, b)

    def larger(self, a: Any, b: Any) -> Any:
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def equal(self, a: Any, b: Any) -> Any:
        return self.builder.fcmp_ordered("==", a, b)

    def signed(self, size: Any, signs: Any) -> Any:
        sign_bit = self.builder.and_(signs, self.constant(0x80000000, self.mask_type))
        return self.builder.bitcast(self.builder.xor(self.signs(size), sign_bit), self.type)

    def product(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b)

    def polynomial(self, x: Any, coefficients: tuple[float, ...]) -> Any:
        """Horner's scheme, highest power first."""
        total = self.constant(coefficients[0])
        for each in coefficients[1:]:
            total = self.sum(self.product(total, x), self.constant(each))
        return total

    def exp_of_negative(self, x: Any) -> Any:
        """exp(x) for x ≤ 0 to 2e-7 relative; 0 below −87, where float32 ends.

        x = n·ln 2 + r with |r| ≤ ln 2/2, ln 2 in two parts; the polynomial is the Taylor series of exp to r⁷/7!.
        """
        builder = self.builder
        bounded = self.larger(x, self.constant(-87.0))
        n = self.call("rint", self.product(bounded, self.constant(1 / math.log(2))))
        r = self.difference(bounded, self.product(n, self.constant(0.693359375)))
        r = self.difference(r, self.product(n, self.constant(math.log(2) - 0.693359375)))
        value = self.polynomial(r, tuple(1 / math.factorial(i) for i in range(7, -1, -1)))
        exponent = builder.shl(builder.fptosi(n, self.mask_type), self.constant(23, self.mask_type))
        scaled = builder.bitcast(builder.add(self.signs(value), exponent), self.type)
        return builder.select(builder.fcmp_ordered("<", x, self.constant(-87.0)), self.constant(0.0), scaled)

    def log(self, x: Any) -> Any:
        """ln x for normal x ≥ 1, to 2e-7.

        x = m·2^e with m in [1/√2, √2); ln m = 2·artanh(s) with s = (m − 1)/(m + 1), its series to s⁹.
        """
        builder, kind = self.builder, self.mask_type
        bits = self.signs(x)
        shifted = builder.add(bits, self.constant(0x3F800000 - 0x3F3504F3, kind))
        e = builder.sub(builder.ashr(shifted, self.constant(23, kind)), self.constant(127, kind))
        mantissa = builder.sub(bits, builder.shl(e, self.constant(23, kind)))
        m = builder.bitcast(mantissa, self.type)
        one = self.constant(1.0)
        s = builder.fdiv(self.difference(m, one), self.sum(m, one))
        series = self.polynomial(self.product(s, s), tuple(2 / i for i in (9, 7, 5, 3, 1)))
        whole = self.product(builder.sitofp(e, self.type), self.constant(math.log(2)))
        return self.sum(self.product(s, series), whole)


class Int8Lanes(Lanes):
    element, mask_element, suffix = I8, I8, "i8"
    largest = 127

    def signs(self, value: Any) -> Any:
        return value

    def masked(self, value: Any, mask: Any) -> Any:
        return self.builder.and_(value, mask)

    def difference(self, a: Any, b: Any) -> Any:
        return self.larger(self.call("ssub.sat", a, b), self.constant(-127))  # -128 has no opposite

    def sum(self, a: Any, b: Any) -> Any:
        return self.call("sadd.sat", a, b)

    def size(self, value: Any) -> Any:
        negative = self.builder.ashr(value, self.constant(7))
        return self.builder.sub(self.builder.xor(value, negative), negative)

    def smaller(self, a: Any, b: Any) -> Any:
        return self.call("smin", a, b)

    def larger(self, a: Any, b: Any) -> Any:
        return self.call("smax", a, b)

    def equal(self, a: Any, b: Any) -> Any:
        return self.builder.icmp_signed("==", a, b)

    def signed(self, size: Any, signs: Any) -> Any:
        negative = self.builder.ashr(signs, self.constant(7))
        return self.builder.sub(self.builder.xor(size, negative), negative)
