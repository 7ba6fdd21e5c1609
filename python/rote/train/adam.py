"""rote/train/adam.py: Adam with little to do beside its one kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Adam(torch.optim.Adam):
    """torch's fused Adam, to the bit, without what its `step` does around the kernel.

    There that is hooks, profiler ranges, sorting by device and a counter for each parameter: on a CPU four times the
    kernel's own time for a network of a few thousand parameters. State and options are torch's. Steps that are out of
    the ordinary (the first one, gradients that are missing, parameters of several types) are left to torch.
    """

    def __init__(self, parameters: Any, lr: float | Tensor, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, lr=lr, weight_decay=weight_decay, fused=True)
        self._ready: list[tuple[dict[str, Any], list[Tensor], tuple[list[Tensor], ...]]] | None = None

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """One update."""
        if self._ready is None or closure is not None:
            return self._torchs_step(closure)
        gradients = [[p.grad for p in parameters] for _, parameters, _ in self._ready]
        if any(gradient is None for group in gradients for gradient in group):
            return self._torchs_step(None)
        for (group, parameters, (means, squares, steps)), group_gradients in zip(self._ready, gradients, strict=True):
            steps[0].add_(1)
            beta1, beta2 = group["betas"]
            torch._fused_adam_(
                parameters,
                group_gradients,
                means,
                squares,
                [],
                steps,
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )
        return None

    # torch wraps every step that is not marked so in a profiler range.
    step.hooked = True

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._ready = None
        super().load_state_dict(state_dict)

    def _torchs_step(self, closure: Callable[[], Tensor] | None) -> Tensor | None:
        for state in self.state.values():
            state["step"] = state["step"].clone()  # each is counted up by itself there
        loss = super().step(closure)
        self._ready = self._gather()
        return loss

    def _gather(self) -> list[tuple[dict[str, Any], list[Tensor], tuple[list[Tensor], ...]]] | None:
        """Parameters and their state by group, where one kernel can take them; they share one counter from here on."""
        ready = []
        for group in self.param_groups:
            parameters = group["params"]
            if any(p not in self.state for p in parameters) or len({(p.device, p.dtype) for p in parameters}) > 1:
                return None
            states = [self.state[p] for p in parameters]
            counter = states[0]["step"]
            if any(int(state["step"]) != int(counter) for state in states):
                return None
            for state in states:
                state["step"] = counter
            columns = tuple([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
            ready.append((group, parameters, columns))
        return ready
