#include "graph/unary.h"

/* min(max(x, low), high): all are `high` where that is below `low`. */
static double clamp(double x, double low, double high) {
    const double raised = x < low ? low : x;
    return raised > high ? high : raised;
}

double graph_unary_value(const graph_unary *u, double x) {
    const double a = (double)u->a;
    const double b = (double)u->b;
    switch (u->kind) {
    case GRAPH_LEAKY_RELU:
        return x < 0.0 ? a * x : x;
    case GRAPH_CLIP:
        return clamp(x, a, b);
    case GRAPH_SIGMOID:
        return graph_sigmoid(x);
    case GRAPH_HARD_SIGMOID:
        return clamp(a * x + b, 0.0, 1.0);
    case GRAPH_HARD_SWISH:
        return x * clamp(x / 6.0 + 0.5, 0.0, 1.0);
    case GRAPH_TANH:
        return tanh(x);
    case GRAPH_ELU:
        return x < 0.0 ? a * expm1(x) : x;
    case GRAPH_GELU:
        return 0.5 * x * (1.0 + erf(x / GRAPH_SQRT_2));
    case GRAPH_GELU_TANH:
        return 0.5 * x * (1.0 + tanh(graph_gelu_argument(x)));
    case GRAPH_SOFTPLUS:
        return fmax(x, 0.0) + log1p(exp(-fabs(x)));
    case GRAPH_ERF:
        return erf(x);
    case GRAPH_SQRT:
        return sqrt(x);
    case GRAPH_NEG:
        return -x;
    case GRAPH_EXP:
        return exp(x);
    case GRAPH_POWER:
        return pow(x, a);
    case GRAPH_UNARY_COUNT:
        break;
    }
    return NAN;
}
