"""How a kernel is compiled: LLVM is told that its arrays lie apart.

It would else look at run time how far apart they lie, and take a loop without vectors for arrays
that are close: another order of the additions in a sum, so that its last bit would depend on
addresses. So nobody may write where a kernel reads, except through the same argument.
"""

from __future__ import annotations

from typing import Any

from numba.core.compiler import Compiler


class Apart(Compiler):
    """Numba's compiler, with ``noalias`` on the arrays of a function, which C does not call."""

    def define_pipelines(self) -> Any:
        """Set the flags; Numba's decorators have no option for the first."""
        self.state.flags.noalias = True
        self.state.flags.no_cfunc_wrapper = True
        return super().define_pipelines()
