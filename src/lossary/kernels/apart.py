"""How a kernel is compiled: what LLVM is told of its arrays and of its loops.

*Arrays lie apart.* LLVM would else look at run time how far apart they lie, and take a loop without
vectors for arrays that are close: another order of the additions in a sum, so that its last bit
would depend on addresses. So nobody may write where a kernel reads, except through the same
argument.

*Vectors are as long as they can be.* LLVM takes 256 bits where the first processors that had 512
slowed down for them.

*Several vectors of a loop go side by side.* Each step of an exponential waits for
the one before, and LLVM trusts the processor to find other work by itself; but its queues are
shorter than such a body.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding import get_host_cpu_features
from llvmlite.ir import Constant, IntType, MetaDataString
from llvmlite.ir.values import MDValue
from numba.core import ir
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

TOGETHER = 4
"""Vectors of one loop that are computed together (AVX2): a binary cross-entropy takes 0.74 of the
time of one after the other, a cross-entropy of a thousand classes 0.8; 2 give half of that."""


_WIDE = get_host_cpu_features().get("avx512fp16", False)
"""Whether 512 bits cost no clock: Intel's processors that have them for halves too."""


class Apart(Compiler):
    """Numba's compiler for functions that C does not call.

    It sets ``noalias`` on their arrays, the length of their vectors, and a word on their loops.
    """

    def define_pipelines(self) -> Any:
        """Set what Numba's decorators have no option for."""
        self.state.flags.noalias = True
        self.state.flags.no_cfunc_wrapper = True
        pipelines = super().define_pipelines()
        for pipeline in pipelines:
            own = {NativeLowering: _LoweringOfLoops}
            pipeline.passes[:] = [(own.get(kind, kind), why) for kind, why in pipeline.passes]
            pipeline.finalize()
        return pipelines


class _Loop(MDValue):
    """What LLVM is told of one loop: a node that names itself, so that no other loop shares it."""

    def descr(self, buf: list[str]) -> None:
        names = ", ".join(node.get_reference() for node in (self, *self.operands))
        buf += (f"distinct !{{ {names} }}", "\n")


class _LowerLoops(Lower):
    def lower_function_body(self) -> Any:
        if _WIDE:
            own: Any = self.function.attributes
            set.add(own, '"prefer-vector-width"="512"')  # llvmlite's own has a list of words
        return super().lower_function_body()

    def lower_block(self, block: Any) -> None:
        super().lower_block(block)
        end = block.terminator
        own = next(place for place, other in self.blocks.items() if other is block)
        if isinstance(end, ir.Jump) and end.target <= own:
            last: Any = self.builder.block
            last.terminator.set_metadata("llvm.loop", self._together())

    def _together(self) -> _Loop:
        module = self.module
        words = MetaDataString(module, "llvm.loop.interleave.count")
        count = module.add_metadata([words, Constant(IntType(32), TOGETHER)])
        return _Loop(module, [count], name=str(len(module.metadata)))


@register_pass(mutates_CFG=True, analysis_only=False)
class _LoweringOfLoops(NativeLowering):
    _name = "lowering_of_loops"

    @property
    def lowering_class(self) -> type[Lower]:
        return _LowerLoops
