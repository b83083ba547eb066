"""Null-text and prompt-tuning inversion's inner loop as public code writes it: one image, one step, one Adam at a time.

Per step a fresh Adam on the tuned embedding, at most `inner` updates, the stopping rule of null-text inversion's
notebook. Nothing is batched but nothing is wasted either: the row that stays is asked once a step, a loss asks for the
tuned row alone, and the step ends with one row more. The networks are diffusers' own modules, as they are loaded: their
parameters require gradients, so that `backward` computes and keeps one for each, which the notebook does not switch off.
"""

import torch
import torch.nn.functional as F


def eps(model, x, t, embedding):
    return model.unet(x, t, encoder_hidden_states=embedding).sample


def transfer(x, eps, alpha_bar_from, alpha_bar_to):
    """The DDIM step (Song et al., ICLR 2021, eq. 12 at sigma = 0), in either direction."""
    x0 = (x - (1 - alpha_bar_from) ** 0.5 * eps) / alpha_bar_from**0.5
    return alpha_bar_to**0.5 * x0 + (1 - alpha_bar_to) ** 0.5 * eps


def fit(model, grid, pivots, tuned, fixed, share, inner, early_stop=1e-5, learning_rate=1e-2):
    """The walk back that follows the pivots, and every loss. `share` is the tuned row's part of the guided prediction:
    w for the conditional embedding, 1 - w for the null one."""
    steps = len(grid.times) - 1
    x, losses = pivots[-1], []
    for k, i in enumerate(range(steps, 0, -1)):
        tuned = tuned.clone().detach().requires_grad_(True)
        adam = torch.optim.Adam([tuned], lr=learning_rate * (1 - k / 100))
        with torch.no_grad():
            eps_fixed = eps(model, x, grid.times[i], fixed)

        def step():
            guided = eps_fixed + share * (eps(model, x, grid.times[i], tuned) - eps_fixed)
            return transfer(x, guided, grid.alpha_bars[i], grid.alpha_bars[i - 1])

        for _ in range(inner):
            with torch.enable_grad():
                loss = F.mse_loss(step(), pivots[i - 1])
                adam.zero_grad()
                loss.backward()
            adam.step()
            losses.append(loss.item())
            if losses[-1] < early_stop + 2e-5 * k:
                break
        with torch.no_grad():
            x = step()
    return x, losses
