/* What works element by element. */
#include <math.h>
#include <string.h>

#include "operations.h"

void rt_run_copy(const rt_call *c) {
    memmove(rt_y(c), rt_x(c, 0), rt_count(c) * sizeof(float));
}

static void rectify(const float *x, size_t count, float *y) {
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] <= 0.0F ? 0.0F : x[i]; /* a NaN passes */
}

void rt_run_relu(const rt_call *c) {
    rt_stretch s;
    rt_stretch_start(&s, 0, rt_count(c));
    while (rt_stretch_next(c, &s))
        rectify(s.x[0], s.count, s.y);
}

/* ---- of one number ---- */

/* min(max(x, low), high): all are `high` where that is below `low`. */
static float clamp(float x, float low, float high) {
    const float raised = x < low ? low : x;
    return raised > high ? high : raised;
}

static float gelu_tanh(float x) {
    return 0.5F * x * (1.0F + tanhf(0.797884561F * (x + 0.044715F * x * x * x)));
}

static float unary(const rt_unary *u, float x) {
    switch (u->kind) {
    case PACK_UNARY_LEAKY_RELU:
        return x < 0.0F ? u->a * x : x;
    case PACK_UNARY_CLIP:
        return clamp(x, u->a, u->b);
    case PACK_UNARY_SIGMOID:
        return 1.0F / (1.0F + expf(-x));
    case PACK_UNARY_HARD_SIGMOID:
        return clamp(u->a * x + u->b, 0.0F, 1.0F);
    case PACK_UNARY_HARD_SWISH:
        return x * clamp(x / 6.0F + 0.5F, 0.0F, 1.0F);
    case PACK_UNARY_TANH:
        return tanhf(x);
    case PACK_UNARY_ELU:
        return x < 0.0F ? u->a * expm1f(x) : x;
    case PACK_UNARY_GELU:
        return 0.5F * x * (1.0F + erff(x * 0.707106781F));
    case PACK_UNARY_GELU_TANH:
        return gelu_tanh(x);
    case PACK_UNARY_SOFTPLUS:
        return fmaxf(x, 0.0F) + log1pf(expf(-fabsf(x)));
    case PACK_UNARY_ERF:
        return erff(x);
    case PACK_UNARY_SQRT:
        return sqrtf(x);
    case PACK_UNARY_NEG:
        return -x;
    case PACK_UNARY_EXP:
        return expf(x);
    default: /* the last there is: PACK_UNARY_POWER */
        return powf(x, u->a);
    }
}

void rt_run_unary(const rt_call *c) {
    rt_stretch s;
    rt_stretch_start(&s, 0, rt_count(c));
    while (rt_stretch_next(c, &s))
        for (size_t i = 0; i < s.count; i++)
            s.y[i] = unary(&c->node->as.unary, s.x[0][i]);
}

/* ---- of two ---- */

static float binary(uint32_t kind, float x, float z) {
    switch (kind) {
    case PACK_BINARY_ADD:
        return x + z;
    case PACK_BINARY_SUB:
        return x - z;
    case PACK_BINARY_MUL:
        return x * z;
    case PACK_BINARY_DIV:
        return x / z;
    case PACK_BINARY_POW:
        return powf(x, z);
    default: /* PACK_BINARY_PRELU */
        return x < 0.0F ? z * x : x;
    }
}

static void add_all(const float *x, const float *z, size_t count, float *y) {
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] + z[i];
}

/* Of two operands of the result's shape. */
static void run_alike(const rt_call *c) {
    const uint32_t kind = c->node->as.binary;
    rt_stretch s;
    rt_stretch_start(&s, 0, rt_count(c));
    while (rt_stretch_next(c, &s)) {
        if (kind == PACK_BINARY_ADD) {
            add_all(s.x[0], s.x[1], s.count, s.y);
            continue;
        }
        for (size_t i = 0; i < s.count; i++)
            s.y[i] = binary(kind, s.x[0][i], s.x[1][i]);
    }
}

void rt_run_binary(const rt_call *c) {
    const rt_shape *out = &c->value->shape;
    const rt_shape *left = &rt_operand(c, 0)->shape;
    const rt_shape *right = &rt_operand(c, 1)->shape;
    if (rt_shape_equal(left, out) && rt_shape_equal(right, out)) {
        run_alike(c);
        return;
    }
    for (size_t i = 0; i < rt_count(c); i++)
        rt_y_put(c, i,
                 binary(c->node->as.binary, rt_x_at(c, 0, rt_broadcast(out, left, i)),
                        rt_x_at(c, 1, rt_broadcast(out, right, i))));
}
