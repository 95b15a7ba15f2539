/* Inner products and matmuls. */
#include "engine/reference.h"

/* x[columns], w[rows][columns], b[rows] -> y[rows]. */
void reference_product_forward(const reference_call *c) {
    const graph_parameter *weight = &c->graph->parameters[c->node->weight];
    const double *w = reference_p(c, c->node->weight);
    const double *b = reference_p(c, c->node->bias);
    const double *x = reference_x(c, 0);
    for (size_t row = 0; row < weight->rows; row++) {
        double sum = b == NULL ? 0.0 : b[row];
        for (size_t i = 0; i < weight->columns; i++)
            sum += w[row * weight->columns + i] * x[i];
        reference_y(c)[row] = sum;
    }
}

void reference_product_backward(const reference_call *c) {
    const graph_parameter *weight = &c->graph->parameters[c->node->weight];
    const double *w = reference_p(c, c->node->weight);
    double *dw = reference_dp(c, c->node->weight);
    double *db = reference_dp(c, c->node->bias);
    const double *x = reference_x(c, 0);
    double *dx = reference_dx(c, 0);
    for (size_t row = 0; row < weight->rows; row++) {
        const double dy = reference_dy(c)[row];
        if (db != NULL)
            db[row] += dy;
        for (size_t i = 0; i < weight->columns; i++)
            dw[row * weight->columns + i] += dy * x[i];
        for (size_t i = 0; dx != NULL && i < weight->columns; i++)
            dx[i] += dy * w[row * weight->columns + i];
    }
}

/* ---- matmul ---- */

/* A stack of products [rows][inner] x [inner][columns]. */
typedef struct matrices {
    size_t rows, inner, columns;
    graph_shape stack, left, right; /* the axes before the matrices */
} matrices;

static graph_shape without_last(graph_shape shape, uint32_t axes) {
    graph_shape rest = {.rank = shape.rank - axes};
    for (uint32_t i = 0; i < rest.rank; i++)
        rest.dims[i] = shape.dims[i];
    return rest;
}

static matrices matrices_of(const reference_call *c) {
    const graph_shape left = reference_shape(c, 0);
    const graph_shape right = reference_shape(c, 1);
    const bool row = left.rank == 1;
    const bool column = right.rank == 1;
    return (matrices){
        .rows = row ? 1 : left.dims[left.rank - 2],
        .inner = left.dims[left.rank - 1],
        .columns = column ? 1 : right.dims[right.rank - 1],
        .stack = without_last(reference_out_shape(c), (row ? 0U : 1U) + (column ? 0U : 1U)),
        .left = without_last(left, row ? 1 : 2),
        .right = without_last(right, column ? 1 : 2)};
}

static size_t left_matrix(const matrices *m, size_t place) {
    return reference_broadcast(m->stack, m->left, place) * m->rows * m->inner;
}

static size_t right_matrix(const matrices *m, size_t place) {
    return reference_broadcast(m->stack, m->right, place) * m->inner * m->columns;
}

static void multiply(const matrices *m, const double *a, const double *b, double *y) {
    for (size_t r = 0; r < m->rows; r++) {
        for (size_t k = 0; k < m->columns; k++) {
            double sum = 0.0;
            for (size_t i = 0; i < m->inner; i++)
                sum += a[r * m->inner + i] * b[i * m->columns + k];
            y[r * m->columns + k] = sum;
        }
    }
}

void reference_matmul_forward(const reference_call *c) {
    const matrices m = matrices_of(c);
    for (size_t s = 0; s < graph_shape_count(m.stack); s++)
        multiply(&m, reference_x(c, 0) + left_matrix(&m, s),
                 reference_x(c, 1) + right_matrix(&m, s), reference_y(c) + s * m.rows * m.columns);
}

/* da = dy b^T */
static void left_backward(const matrices *m, const double *dy, const double *b, double *da) {
    for (size_t r = 0; r < m->rows; r++)
        for (size_t i = 0; i < m->inner; i++)
            for (size_t k = 0; k < m->columns; k++)
                da[r * m->inner + i] += dy[r * m->columns + k] * b[i * m->columns + k];
}

/* db = a^T dy */
static void right_backward(const matrices *m, const double *dy, const double *a, double *db) {
    for (size_t i = 0; i < m->inner; i++)
        for (size_t k = 0; k < m->columns; k++)
            for (size_t r = 0; r < m->rows; r++)
                db[i * m->columns + k] += a[r * m->inner + i] * dy[r * m->columns + k];
}

void reference_matmul_backward(const reference_call *c) {
    const matrices m = matrices_of(c);
    double *da = reference_dx(c, 0);
    double *db = reference_dx(c, 1);
    for (size_t s = 0; s < graph_shape_count(m.stack); s++) {
        const double *dy = reference_dy(c) + s * m.rows * m.columns;
        const size_t left = left_matrix(&m, s);
        const size_t right = right_matrix(&m, s);
        if (da != NULL)
            left_backward(&m, dy, reference_x(c, 1) + right, da + left);
        if (db != NULL)
            right_backward(&m, dy, reference_x(c, 0) + left, db + right);
    }
}
