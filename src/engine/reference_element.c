/* What works element by element. */
#include <math.h>

#include "engine/dropout.h"
#include "engine/reference.h"
#include "graph/unary.h"

static size_t count_of(const reference_call *c) {
    return graph_shape_count(reference_out_shape(c));
}

void reference_relu_forward(const reference_call *c) {
    const double *x = reference_x(c, 0);
    for (size_t i = 0; i < count_of(c); i++)
        reference_y(c)[i] = x[i] <= 0.0 ? 0.0 : x[i]; /* a NaN passes and is noticed in the loss */
}

void reference_relu_backward(const reference_call *c) {
    const double *x = reference_x(c, 0);
    double *dx = reference_dx(c, 0);
    for (size_t i = 0; dx != NULL && i < count_of(c); i++)
        dx[i] += x[i] > 0.0 ? reference_dy(c)[i] : 0.0;
}

/* ---- dropout ---- */

/* What it leaves of ones is what it does to anything. */
static const float *factors_of(const reference_call *c) {
    for (size_t i = 0; i < count_of(c); i++)
        c->scratch[i] = 1.0F;
    engine_dropout_apply(c->graph, (uint32_t)(c->node - c->graph->nodes), c->batch, c->sample,
                         count_of(c), c->scratch);
    return c->scratch;
}

void reference_dropout_forward(const reference_call *c) {
    const float *factors = c->training ? factors_of(c) : NULL;
    for (size_t i = 0; i < count_of(c); i++)
        reference_y(c)[i] = reference_x(c, 0)[i] * (factors == NULL ? 1.0 : (double)factors[i]);
}

void reference_dropout_backward(const reference_call *c) {
    const float *factors = factors_of(c);
    double *dx = reference_dx(c, 0);
    for (size_t i = 0; dx != NULL && i < count_of(c); i++)
        dx[i] += reference_dy(c)[i] * (double)factors[i];
}

/* ---- functions of one number ---- */

/* d/dx of x / 2 (1 + tanh(g(x))) */
static double gelu_tanh_slope(double x) {
    const double t = tanh(graph_gelu_argument(x));
    const double inner = GRAPH_SQRT_2_PI * (1.0 + 3.0 * GRAPH_GELU_CUBIC * x * x);
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner;
}

static double hard_swish_slope(double x) {
    if (x <= -3.0)
        return 0.0;
    return x >= 3.0 ? 1.0 : x / 3.0 + 0.5;
}

/* The derivative at x, where the function is y; at a corner, that of one side. */
static double slope(const graph_unary *u, double x, double y) {
    const double a = (double)u->a;
    const double b = (double)u->b;
    switch (u->kind) {
    case GRAPH_LEAKY_RELU:
        return x < 0.0 ? a : 1.0;
    case GRAPH_CLIP:
        return x > a && x < b ? 1.0 : 0.0;
    case GRAPH_SIGMOID:
        return y * (1.0 - y);
    case GRAPH_HARD_SIGMOID:
        return y > 0.0 && y < 1.0 ? a : 0.0;
    case GRAPH_HARD_SWISH:
        return hard_swish_slope(x);
    case GRAPH_TANH:
        return 1.0 - y * y;
    case GRAPH_ELU:
        return x < 0.0 ? a * exp(x) : 1.0;
    case GRAPH_GELU:
        return 0.5 * (1.0 + erf(x / GRAPH_SQRT_2)) + 0.5 * GRAPH_SQRT_2_PI * x * exp(-0.5 * x * x);
    case GRAPH_GELU_TANH:
        return gelu_tanh_slope(x);
    case GRAPH_SOFTPLUS:
        return graph_sigmoid(x);
    case GRAPH_ERF:
        return GRAPH_SQRT_2 * GRAPH_SQRT_2_PI * exp(-x * x);
    case GRAPH_SQRT:
        return 0.5 / y;
    case GRAPH_NEG:
        return -1.0;
    case GRAPH_EXP:
        return y;
    case GRAPH_POWER:
        return a == 0.0 ? 0.0 : a * pow(x, a - 1.0);
    case GRAPH_UNARY_COUNT:
        break;
    }
    return NAN;
}

void reference_unary_forward(const reference_call *c) {
    for (size_t i = 0; i < count_of(c); i++)
        reference_y(c)[i] = graph_unary_value(&c->node->unary, reference_x(c, 0)[i]);
}

void reference_unary_backward(const reference_call *c) {
    double *dx = reference_dx(c, 0);
    for (size_t i = 0; dx != NULL && i < count_of(c); i++)
        dx[i] +=
            reference_dy(c)[i] * slope(&c->node->unary, reference_x(c, 0)[i], reference_y(c)[i]);
}

/* ---- functions of two numbers ---- */

static double binary(graph_binary_kind kind, double x, double z) {
    switch (kind) {
    case GRAPH_ADD:
        return x + z;
    case GRAPH_SUB:
        return x - z;
    case GRAPH_MUL:
        return x * z;
    case GRAPH_DIV:
        return x / z;
    case GRAPH_POW:
        return pow(x, z);
    case GRAPH_PRELU:
        return x < 0.0 ? z * x : x;
    case GRAPH_BINARY_COUNT:
        break;
    }
    return NAN;
}

/* By x. */
static double left_slope(graph_binary_kind kind, double x, double z) {
    switch (kind) {
    case GRAPH_ADD:
    case GRAPH_SUB:
        return 1.0;
    case GRAPH_MUL:
        return z;
    case GRAPH_DIV:
        return 1.0 / z;
    case GRAPH_POW:
        return z == 0.0 ? 0.0 : z * pow(x, z - 1.0);
    case GRAPH_PRELU:
        return x < 0.0 ? z : 1.0;
    case GRAPH_BINARY_COUNT:
        break;
    }
    return NAN;
}

/* By z. That of a power is asked for where x is above 0; elsewhere there is none, and it is
 * taken to be 0. */
static double right_slope(graph_binary_kind kind, double x, double z) {
    switch (kind) {
    case GRAPH_ADD:
        return 1.0;
    case GRAPH_SUB:
        return -1.0;
    case GRAPH_MUL:
        return x;
    case GRAPH_DIV:
        return -x / (z * z);
    case GRAPH_POW:
        return x > 0.0 ? pow(x, z) * log(x) : 0.0;
    case GRAPH_PRELU:
        return x < 0.0 ? x : 0.0;
    case GRAPH_BINARY_COUNT:
        break;
    }
    return NAN;
}

void reference_binary_forward(const reference_call *c) {
    const graph_shape out = reference_out_shape(c);
    for (size_t i = 0; i < count_of(c); i++)
        reference_y(c)[i] = binary(
            c->node->binary, reference_x(c, 0)[reference_broadcast(out, reference_shape(c, 0), i)],
            reference_x(c, 1)[reference_broadcast(out, reference_shape(c, 1), i)]);
}

/* A broadcast element gathers what comes to all its places. */
void reference_binary_backward(const reference_call *c) {
    const graph_shape out = reference_out_shape(c);
    double *dx = reference_dx(c, 0);
    double *dz = reference_dx(c, 1);
    for (size_t i = 0; i < count_of(c); i++) {
        const size_t left = reference_broadcast(out, reference_shape(c, 0), i);
        const size_t right = reference_broadcast(out, reference_shape(c, 1), i);
        const double x = reference_x(c, 0)[left];
        const double z = reference_x(c, 1)[right];
        const double dy = reference_dy(c)[i];
        if (dx != NULL)
            dx[left] += dy * left_slope(c->node->binary, x, z);
        if (dz != NULL)
            dz[right] += dy * right_slope(c->node->binary, x, z);
    }
}
