/* Convolutions, forward and transposed.
 *
 * Both link the elements of a grid, one for each position of the window, with the elements
 * of a cover, over which the window moves. A convolution's grid is its output; a transposed
 * one's is its input. */
#include "engine/reference.h"

typedef struct field {
    const graph_conv *conv;
    graph_shape grid, cover;
    uint32_t rows, columns; /* of the weights, in channels: outputs, inputs of the group */
    bool transposed;
} field;

/* What a link does: `to` is the weights, the grid or the cover, the others are read. */
typedef enum link_kind {
    GATHER,  /* grid += weight * cover */
    SCATTER, /* cover += weight * grid */
    WEIGH    /* weight += grid * cover */
} link_kind;

typedef struct linked {
    link_kind kind;
    const double *weights, *grid, *cover;
    double *to;
} linked;

static field field_of(const reference_call *c, bool transposed) {
    const graph_shape in = reference_shape(c, 0);
    const graph_shape out = reference_out_shape(c);
    const graph_conv *conv = &c->node->conv;
    return (field){.conv = conv,
                   .grid = transposed ? in : out,
                   .cover = transposed ? out : in,
                   .rows = graph_shape_channels(out),
                   .columns = graph_shape_channels(in) / conv->groups,
                   .transposed = transposed};
}

typedef struct span {
    size_t first, last; /* half open */
} span;

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

/* The kernel places of one axis that fall on the cover, not on its padding. */
static span inside(const graph_window *w, int axis, size_t position, size_t size) {
    const size_t origin = position * w->stride[axis];
    const size_t pad = w->pad[axis];
    const size_t gap = w->dilation[axis];
    const size_t first = origin < pad ? divide_up(pad - origin, gap) : 0;
    const size_t last = origin < size + pad ? divide_up(size + pad - origin, gap) : 0;
    return (span){first, last < w->kernel[axis] ? last : w->kernel[axis]};
}

static void use_link(const linked *l, size_t weight, size_t grid, size_t cover) {
    if (l->kind == GATHER)
        l->to[grid] += l->weights[weight] * l->cover[cover];
    else if (l->kind == SCATTER)
        l->to[cover] += l->weights[weight] * l->grid[grid];
    else
        l->to[weight] += l->grid[grid] * l->cover[cover];
}

/* All links of the window at (gy, gx), which is element `grid` of its channel's plane, with
 * the plane of the cover that begins at `plane`, by the kernel that begins at `kernel`. */
static void use_window(const field *f, const linked *l, size_t kernel, size_t grid, size_t plane,
                       size_t gy, size_t gx) {
    const graph_window *w = &f->conv->window;
    const size_t width = graph_shape_width(f->cover);
    const span rows = inside(w, 0, gy, graph_shape_height(f->cover));
    const span columns = inside(w, 1, gx, width);
    for (size_t ky = rows.first; ky < rows.last; ky++) {
        const size_t y = gy * w->stride[0] + ky * w->dilation[0] - w->pad[0];
        for (size_t kx = columns.first; kx < columns.last; kx++) {
            const size_t x = gx * w->stride[1] + kx * w->dilation[1] - w->pad[1];
            use_link(l, kernel + ky * w->kernel[1] + kx, grid, plane + y * width + x);
        }
    }
}

/* All windows between output channel o and input channel i of its group. */
static void use_channels(const field *f, const linked *l, size_t o, size_t i) {
    const graph_window *w = &f->conv->window;
    const size_t height = graph_shape_height(f->grid);
    const size_t width = graph_shape_width(f->grid);
    const size_t group = o / (f->rows / f->conv->groups);
    const size_t in = group * f->columns + i;
    const size_t kernel = (o * f->columns + i) * w->kernel[0] * w->kernel[1];
    const size_t grid = (f->transposed ? in : o) * height * width;
    const size_t plane =
        (f->transposed ? o : in) * graph_shape_height(f->cover) * graph_shape_width(f->cover);
    for (size_t gy = 0; gy < height; gy++)
        for (size_t gx = 0; gx < width; gx++)
            use_window(f, l, kernel, grid + gy * width + gx, plane, gy, gx);
}

static void use_links(const field *f, const linked *l) {
    for (size_t o = 0; o < f->rows; o++)
        for (size_t i = 0; i < f->columns; i++)
            use_channels(f, l, o, i);
}

/* ---- biases ---- */

static size_t plane_of(const reference_call *c) {
    const graph_shape out = reference_out_shape(c);
    return graph_shape_extent(out, 1, out.rank);
}

/* y becomes the biases, or zero. */
static void begin(const reference_call *c) {
    const size_t plane = plane_of(c);
    const double *bias = reference_p(c, c->node->bias);
    double *y = reference_y(c);
    for (size_t i = 0; i < graph_shape_count(reference_out_shape(c)); i++)
        y[i] = bias == NULL ? 0.0 : bias[i / plane];
}

static void bias_backward(const reference_call *c) {
    const size_t plane = plane_of(c);
    double *bias = reference_dp(c, c->node->bias);
    const double *dy = reference_dy(c);
    for (size_t i = 0; bias != NULL && i < graph_shape_count(reference_out_shape(c)); i++)
        bias[i / plane] += dy[i];
}

/* ---- the operations ---- */

void reference_conv_forward(const reference_call *c) {
    const field f = field_of(c, false);
    const linked l = {.kind = GATHER,
                      .weights = reference_p(c, c->node->weight),
                      .cover = reference_x(c, 0),
                      .to = reference_y(c)};
    begin(c);
    use_links(&f, &l);
}

void reference_conv_backward(const reference_call *c) {
    const field f = field_of(c, false);
    const linked by_weights = {.kind = WEIGH,
                               .grid = reference_dy(c),
                               .cover = reference_x(c, 0),
                               .to = reference_dp(c, c->node->weight)};
    const linked by_input = {.kind = SCATTER,
                             .weights = reference_p(c, c->node->weight),
                             .grid = reference_dy(c),
                             .to = reference_dx(c, 0)};
    bias_backward(c);
    use_links(&f, &by_weights);
    if (by_input.to != NULL)
        use_links(&f, &by_input);
}

void reference_transposed_forward(const reference_call *c) {
    const field f = field_of(c, true);
    const linked l = {.kind = SCATTER,
                      .weights = reference_p(c, c->node->weight),
                      .grid = reference_x(c, 0),
                      .to = reference_y(c)};
    begin(c);
    use_links(&f, &l);
}

void reference_transposed_backward(const reference_call *c) {
    const field f = field_of(c, true);
    const linked by_weights = {.kind = WEIGH,
                               .grid = reference_x(c, 0),
                               .cover = reference_dy(c),
                               .to = reference_dp(c, c->node->weight)};
    const linked by_input = {.kind = GATHER,
                             .weights = reference_p(c, c->node->weight),
                             .cover = reference_dy(c),
                             .to = reference_dx(c, 0)};
    bias_backward(c);
    use_links(&f, &by_weights);
    if (by_input.to != NULL)
        use_links(&f, &by_input);
}
