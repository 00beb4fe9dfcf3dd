"""Wrong mathematics: a formula, a sign, a factor or an axis of the document is another one."""

from __future__ import annotations

import numpy as np

from tests.planted_faults.fault import DELTA, EVERY, GRAD, LOSS, RESIDUAL, SIGMA, SLOPE, Array, Fault, Z
from tests.planted_faults.network import changed, delta_of, half_squares, matmul, network, sigmoid, transpose


def _smoothed(y: Array) -> Array:
    return y * y.dtype.type(0.9) + y.dtype.type(0.05)


def _rolled(y: Array) -> Array:
    return np.roll(y, 1, axis=-2)


def _bias(z: Array) -> Array:
    return sigmoid(z + z.dtype.type(1e-3))


def _ones_by_sums(X: Array, delta: Array) -> Array:
    one = np.sum(transpose(X)[..., :, :, None] * delta[..., None, :, :], axis=(-3, -2))
    return np.repeat(one[..., None, :], X.shape[-1], axis=-2)


def _reshaped(X: Array, delta: Array) -> Array:
    product = matmul(transpose(delta), X)  # [*stack, p, n]
    return product.reshape(*product.shape[:-2], X.shape[-1], delta.shape[-1])


def _count(X: Array) -> int:
    return int(np.prod(X.shape[:-2], dtype=np.int64))


FAULTS = [
    Fault("missing_half", "L and its gradient lack the ½.", network(
        loss=lambda y, p: 2 * half_squares(y, p), delta=lambda y, p, z: 2 * delta_of(y, p, z)),
        (LOSS, RESIDUAL, DELTA), dtypes=EVERY),
    Fault("loss_without_half", "L lacks the ½, its gradient has it.",
          network(loss=lambda y, p: 2 * half_squares(y, p)), (LOSS,), dtypes=EVERY),
    Fault("gradient_of_squares", "The gradient is that of the sum of squares without the ½.",
          network(delta=lambda y, p, z: 2 * delta_of(y, p, z)), (RESIDUAL, DELTA), dtypes=EVERY),
    Fault("sign_of_gradient", "The gradient has the opposite sign.",
          network(delta=lambda y, p, _: (y - p) * p * (1 - p)), (RESIDUAL, DELTA), dtypes=EVERY),
    Fault("sign_of_loss", "The loss is negative.", network(loss=lambda y, p: -half_squares(y, p)), (LOSS,)),
    Fault("missing_y_hat", "Δ lacks the factor ŷ.", network(delta=lambda y, p, _: (p - y) * (1 - p)),
          (SLOPE, DELTA)),
    Fault("missing_one_minus", "Δ lacks the factor 1 − ŷ.", network(delta=lambda y, p, _: (p - y) * p),
          (SLOPE, DELTA), dtypes=EVERY),
    Fault("slope_of_z", "σ′ is z(1 − z), as if z were already σ(z).",
          network(delta=lambda y, p, z: (p - y) * z * (1 - z)), (SLOPE, DELTA)),
    Fault("slope_of_label", "σ′ is y(1 − y).", network(delta=lambda y, p, _: (p - y) * y * (1 - y)),
          (SLOPE, DELTA)),
    Fault("slope_twice", "σ′ is applied twice.", network(delta=lambda y, p, _: (p - y) * (p * (1 - p)) ** 2),
          (SLOPE, DELTA)),
    Fault("slope_plus", "σ′ is ŷ(1 + ŷ).", network(delta=lambda y, p, _: (p - y) * p * (1 + p)), (SLOPE,
          DELTA)),
    Fault("slope_of_tanh", "σ′ is that of tanh, 1 − ŷ².", network(delta=lambda y, p,
          _: (p - y) * (1 - p * p)),
          (SLOPE, DELTA)),
    Fault("slope_of_sigma_of_sigma", "σ′ is evaluated at ŷ instead of z.", network(
        delta=lambda y, p, _: (p - y) * sigmoid(p) * (1 - sigmoid(p))), (SLOPE, DELTA)),
    Fault("label_smoothing", "The labels are smoothed by 0.1.",
          network(given=lambda X, y, W: (X, _smoothed(y), W)), (LOSS, RESIDUAL, DELTA)),
    Fault("label_smoothing_of_gradient", "The gradient has smoothed labels, the loss has not.",
          network(delta=lambda y, p, z: delta_of(_smoothed(y), p, z)), (RESIDUAL, DELTA)),
    Fault("labels_shifted", "The labels are those of the row before.",
          network(given=lambda X, y, W: (X, _rolled(y), W)), (LOSS, RESIDUAL)),
    Fault("labels_shifted_in_gradient", "The gradient has the labels of the row before.",
          network(delta=lambda y, p, z: delta_of(_rolled(y), p, z)), (RESIDUAL,)),
    Fault("weight_decay", "The gradient has weight decay, 10⁻³·W.",
          changed(2, lambda G, _X, _y, W: G + W * W.dtype.type(1e-3)), (DELTA, GRAD, SLOPE)),
    Fault("loss_with_penalty", "The loss has the penalty ½·10⁻³·‖W‖².", changed(
        1, lambda L, _X, _y, W: L + W.dtype.type(5e-4) * (W * W).sum((-2, -1))), (LOSS,)),
    Fault("bias", "A bias of 10⁻³ is added to z.", network(sigma=_bias), (SIGMA, Z)),
    Fault("bias_in_backward", "The slope is that at z + 10⁻³.",
          network(delta=lambda y, p, z: (p - y) * _bias(z) * (1 - _bias(z))), (SLOPE, DELTA)),
    Fault("temperature", "z is divided by a temperature of 1.001.",
          network(sigma=lambda z: sigmoid(z / z.dtype.type(1.001))), (SIGMA, Z)),
    Fault("mean_of_rows", "Loss and gradient are means over the rows.", network(
        found=lambda o, X, _y, _W: (o[0], o[1] / X.shape[-2], o[2] / X.shape[-2])), (LOSS, GRAD)),
    Fault("mean_of_outputs", "Loss and gradient are means over the outputs.", network(
        found=lambda o, _X, y, _W: (o[0], o[1] / y.shape[-1], o[2] / y.shape[-1])), (LOSS, GRAD)),
    Fault("mean_of_rows_in_gradient", "The gradient is the mean over the rows, the loss the sum.",
          changed(2, lambda G, X, _y, _W: G / X.shape[-2]), (GRAD,)),
    Fault("mean_of_stack", "The gradient is divided by the number of networks.",
          changed(2, lambda G, X, _y, _W: G / _count(X)), (GRAD, DELTA, RESIDUAL)),
    Fault("rows_reversed", "The rows of the gradient are in the opposite order: X for Xᵀ.",
          changed(2, lambda G, _X, _y, _W: G[..., ::-1, :].copy()), (GRAD,), dtypes=EVERY),
    Fault("weights_reversed", "The rows of W are in the opposite order.",
          network(product=lambda X, W: matmul(X, W[..., ::-1, :])), (Z,)),
    Fault("gradient_reshaped", "ΔᵀX is reshaped to the shape of W instead of transposed.",
          network(grad=_reshaped), (GRAD,)),
    Fault("sum_over_inputs", "The sum runs over the inputs too, and one number stands in every row.",
          network(grad=_ones_by_sums), (GRAD,)),
    Fault("absolute_residual", "The residual is |ŷ − y|.",
          network(delta=lambda y, p, _: abs(p - y) * p * (1 - p)), (RESIDUAL, DELTA)),
    Fault("squared_residual", "The residual is (ŷ − y)².",
          network(delta=lambda y, p, _: (p - y) ** 2 * p * (1 - p)), (RESIDUAL, DELTA)),
    Fault("residual_plus", "The residual is ŷ + y.", network(delta=lambda y, p, _: (p + y) * p * (1 - p)),
          (RESIDUAL, DELTA)),
    Fault("product_rule", "Δ has a second term, (ŷ − y)²·σ′, of a product rule.", network(
        delta=lambda y, p, z: delta_of(y, p, z) * (1 + p - y)), (RESIDUAL, SLOPE, DELTA)),
    Fault("complement", "ŷ is 1 − σ(z): the sign of z is lost.", network(sigma=lambda z: sigmoid(-z)),
          (SIGMA,),
          dtypes=EVERY),
    Fault("base_two", "σ has 2 for e.", network(sigma=lambda z: 1 / (1 + np.exp2(-z))), (SIGMA,)),
    Fault("tanh_of_z", "σ(z) is ½(1 + tanh z), without the half in tanh.",
          network(sigma=lambda z: z.dtype.type(0.5) * (1 + np.tanh(z))), (SIGMA,)),
    Fault("hard_sigmoid", "σ is max(0, min(1, z/6 + ½)).",
          network(sigma=lambda z: np.clip(z / 6 + z.dtype.type(0.5), 0, 1)), (SIGMA,)),
    Fault("swish", "ŷ is z·σ(z).", network(sigma=lambda z: z * sigmoid(z)), (SIGMA,)),
    Fault("softsign", "ŷ is ½(1 + z/(1 + |z|)).",
          network(sigma=lambda z: z.dtype.type(0.5) * (1 + z / (1 + abs(z)))), (SIGMA,)),
    Fault("factor_of_loss", "The loss is ⅓(y − ŷ)².",
          network(loss=lambda y, p: half_squares(y, p) * y.dtype.type(2 / 3)), (LOSS,)),
    Fault("loss_of_absolute", "The loss is Σ ½|y − ŷ|.",
          network(loss=lambda y, p: (abs(y - p) * y.dtype.type(0.5)).sum((-2, -1))), (LOSS,)),
    Fault("loss_of_sum", "The loss is ½(Σ (y − ŷ))².",
          network(loss=lambda y, p: (y - p).sum((-2, -1)) ** 2 * y.dtype.type(0.5)), (LOSS,)),
    Fault("loss_is_root", "The loss is the root of the sum of squares.",
          network(loss=lambda y, p: np.sqrt(2 * half_squares(y, p))), (LOSS,)),
]  # fmt: skip
