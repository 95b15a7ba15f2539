/* Random sparse networks, packed and compared, for the tests of pack/. */
#ifndef TESTS_PACK_SUPPORT_H
#define TESTS_PACK_SUPPORT_H

#include "base/bytes.h"
#include "base/hash.h"
#include "networks.h"
#include "pack/format.h"
#include "pack/pack.h"
#include "pack/topology.h"

static inline graph *one_product(uint32_t inputs, uint32_t outputs) {
    graph *g;
    uint32_t v;
    MUST(graph_create("one", graph_shape_image(inputs, 1, 1), &g, err));
    MUST(graph_add_inner_product(g, "fc1", g->input, outputs, true, &v, err));
    return g;
}

/* Of which the second and the third value are the most that is in use at once, where the third does
 * not fit in the first one's place: so many numbers. */
#define CHAIN_AT_ONCE (400 + 1200)

static inline graph *chain_of_products(void) {
    const uint32_t outputs[] = {800, 400, 1200, 10};
    graph *g;
    uint32_t v;
    MUST(graph_create("chain", graph_shape_vector(4), &g, err));
    v = g->input;
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        char name[] = "fc1";
        name[2] = (char)('1' + i);
        MUST(graph_add_inner_product(g, name, v, outputs[i], true, &v, err));
    }
    return g;
}

/* A network of a few hundred bytes with every kind of node and odd geometry. */
static inline graph *small_network(void) {
    graph *g;
    uint32_t v;
    MUST(graph_create("small", graph_shape_image(2, 9, 7), &g, err));
    MUST(graph_add_conv(g, "conv1", g->input, 4,
                        graph_conv_of((graph_window){{3, 2}, {2, 1}, {1, 0}, {1, 0}, {1, 1}}), &v,
                        err));
    MUST(graph_add_relu(g, "its own \"name\"", v, &v, err));
    MUST(graph_add_maxpool(g, "pool1", v,
                           graph_pool_of((graph_window){{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, err));
    MUST(graph_add_inner_product(g, "fc1", v, 6, true, &v, err));
    MUST(graph_add_relu(g, "relu2", v, &v, err));
    MUST(graph_add_inner_product(g, "fc2", v, 3, true, &v, err));
    return g;
}

/* Batch normalization of images and features, usual and not; dropout. */
static inline graph *normalized_network(void) {
    graph *g;
    uint32_t v;
    MUST(graph_create("normalized", graph_shape_image(1, 8, 8), &g, err));
    MUST(graph_add_dropout(g, "dropout1", g->input, 0.2F, &v, err));
    MUST(graph_add_conv(g, "conv1", v, 6,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        err));
    MUST(graph_add_batch_normalization(g, "bn1", v, GRAPH_EPSILON, GRAPH_MOMENTUM, &v, err));
    MUST(graph_add_relu(g, "relu1", v, &v, err));
    MUST(graph_add_maxpool(g, "pool1", v,
                           graph_pool_of((graph_window){{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, err));
    MUST(graph_add_inner_product(g, "fc1", v, 7, true, &v, err));
    MUST(graph_add_batch_normalization(g, "its own", v, 0.125F, GRAPH_MOMENTUM, &v, err));
    MUST(graph_add_dropout(g, "dropout2", v, 0.5F, &v, err));
    MUST(graph_add_inner_product(g, "fc2", v, 3, true, &v, err));
    return g;
}

/* A value that is not the last: the graph's output. */
static inline void end_before(graph *g, uint32_t output) {
    uint32_t v;
    MUST(graph_add_relu(g, "nobody", output, &v, err));
    g->output = output;
}

/* Layers that no chain has: groups, paddings of their own, no biases, several readers. */
static inline uint32_t add_images(graph *g) {
    const graph_conv grouped = {{{3, 2}, {1, 1}, {1, 0}, {0, 2}, {2, 1}}, 2, false, {0}};
    const graph_conv turned = {graph_window_of(2, 2, 0), 1, true, {1, 0}};
    graph_pool average = {graph_window_of(3, 2, 1), true, true};
    uint32_t gain;
    uint32_t v;
    uint32_t w;
    MUST(graph_add_parameter(g, "gain", GRAPH_TENSOR, (graph_shape){3, {4, 1, 1}}, &gain, err));
    MUST(graph_add_binary(g, "scaled", GRAPH_MUL, g->input, gain, &v, err));
    MUST(graph_add_conv(g, "conv1", v, 6, grouped, &v, err));
    MUST(graph_add_batch_normalization(g, "conv1.bn", v, 0.25F, 0.5F, &v, err));
    MUST(graph_add_unary(g, "conv1.clip", v, (graph_unary){GRAPH_CLIP, 0.0F, 6.0F}, &v, err));
    MUST(graph_add_unary(g, "unary2", v, (graph_unary){.kind = GRAPH_TANH}, &w, err));
    MUST(graph_add_binary(g, "sum", GRAPH_ADD, v, w, &v, err));
    MUST(graph_add_average_pool(g, "average-pool1", v, average, &v, err));
    MUST(graph_add_transposed_conv(g, "up", v, 4, turned, &v, err));
    MUST(graph_add_lrn(g, "lrn1", v, (graph_lrn){3, 1e-4F, 0.75F, 2.0F}, &v, err));
    MUST(graph_add_instance_normalization(g, "in", v, 1e-3F, &v, err));
    return v;
}

/* What moves elements: the same images, cut, padded, joined and turned. */
static inline uint32_t add_moves(graph *g, uint32_t v) {
    const graph_shape shape = g->values[v].shape;
    graph_slice slice = {{0, shape.dims[1] - 1, 0}, {4, shape.dims[1], 3}, {1, -1, 2}};
    const graph_pad edge = {GRAPH_PAD_EDGE, 0.0F, {0, 1, 0}, {0, 0, 2}};
    const graph_pad constant = {GRAPH_PAD_CONSTANT, -1.5F, {1}, {0}};
    graph_resize resize = {GRAPH_RESIZE_LINEAR, GRAPH_RESIZE_ALIGN_CORNERS, {1, 2, 1}, {0}};
    const float picked[] = {3, 0, 2};
    uint32_t indices;
    uint32_t w;
    uint32_t joined[3];
    MUST(graph_add_slice(g, "slice1", v, &slice, &w, err));
    MUST(graph_add_pad(g, "pad1", w, &edge, &joined[0], err));
    joined[1] = joined[2] = joined[0];
    MUST(graph_add_concat(g, "concat1", joined, 3, 0, &v, err));
    MUST(graph_add_pad(g, "pad2", v, &constant, &v, err));
    MUST(graph_add_constant(g, (graph_shape){1, {3}}, picked, &indices, err));
    MUST(graph_add_gather(g, "pick", v, indices, 0, &v, err));
    for (uint32_t i = 0; i < 3; i++)
        resize.size[i] = g->values[v].shape.dims[i] * (i == 1 ? 2 : 1);
    MUST(graph_add_resize(g, "resize1", v, &resize, &v, err));
    return v;
}

/* Every operation and every kind of operand; the output is not the last value. */
static inline graph *any_network(void) {
    static const uint32_t turn[GRAPH_RANK_MAX] = {1, 0};
    graph *g;
    uint32_t weight;
    uint32_t bias;
    uint32_t v;
    MUST(graph_create("any", graph_shape_image(4, 9, 7), &g, err));
    v = add_moves(g, add_images(g));
    const graph_shape flat = {2, {3, (uint32_t)graph_value_count(g, v) / 3}};
    MUST(graph_add_reshape(g, "reshape1", v, flat, &v, err));
    MUST(graph_add_transpose(g, "transpose1", v, turn, &v, err));
    MUST(graph_add_layer_normalization(g, "norm", v, 1, GRAPH_EPSILON, &v, err));
    MUST(graph_add_parameter(g, "linear.weight", GRAPH_WEIGHT, (graph_shape){2, {3, 5}}, &weight,
                             err));
    MUST(graph_add_matmul(g, "linear", v, weight, &v, err));
    MUST(graph_add_parameter(g, "linear.bias", GRAPH_BIAS, graph_shape_vector(5), &bias, err));
    MUST(graph_add_binary(g, "linear.add", GRAPH_ADD, v, bias, &v, err));
    MUST(graph_add_softmax(g, "softmax1", v, 1, &v, err));
    MUST(graph_add_reduce(g, "reduce1", v, (graph_reduce){GRAPH_REDUCE_SUM, 1, true}, &v, err));
    MUST(graph_add_dropout(g, "dropout1", v, 0.5F, &v, err));
    MUST(graph_add_inner_product(g, "fc1", v, 3, false, &v, err));
    MUST(graph_add_log_softmax(g, "log-softmax1", v, 0, &v, err));
    end_before(g, v);
    return g;
}

typedef struct filling {
    admm_levels levels;
    unsigned bits;
    double density;
} filling;

static inline int32_t random_code(base_random *random, const filling *f) {
    int32_t most = (int32_t)admm_level_count(f->levels, f->bits);
    int32_t code = 1 + (int32_t)base_random_below(random, (uint32_t)most);
    return base_random_below(random, 2) == 0 ? code : -code;
}

static inline void fill_codes(pack_tensor *t, size_t count, const filling *f, base_random *random) {
    *t = (pack_tensor){.form = PACK_LEVELS,
                       .levels = f->levels,
                       .bits = f->bits,
                       .step = f->levels == ADMM_LEVELS_SIGN ? 1.0F : 0.037F};
    t->codes = base_array(count, sizeof *t->codes);
    assert_non_null(t->codes);
    for (size_t i = 0; i < count; i++)
        if ((double)base_random_uniform(random) < f->density)
            t->codes[i] = random_code(random, f);
}

static inline void fill_floats(pack_tensor *t, size_t count, double density, base_random *random) {
    *t = (pack_tensor){.form = PACK_FLOAT32};
    t->values = base_array(count, sizeof *t->values);
    assert_non_null(t->values);
    for (size_t i = 0; i < count; i++)
        if ((double)base_random_uniform(random) < density)
            t->values[i] = base_random_normal(random);
}

/* Above zero: a variance is among them. */
static inline void fill_normalization(pack_tensor *t, size_t count, base_random *random) {
    fill_floats(t, count, 1.0, random);
    for (size_t i = 0; i < count; i++)
        t->values[i] = 0.5F + base_random_uniform(random);
}

/* g becomes the model's. Weights by f; biases 8 bits with zero; normalizations floats. */
static inline pack_model *random_model(graph *g, filling f, uint64_t seed) {
    const filling bias = {ADMM_LEVELS_EQUAL_ZERO, 8, 0.9};
    pack_model *model;
    base_random random = base_random_at(seed, 1, 1);
    MUST(pack_model_create(g, &model, err));
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        if (parameter->kind == GRAPH_WEIGHT || parameter->kind == GRAPH_BIAS)
            fill_codes(&model->tensors[p], parameter->count,
                       parameter->kind == GRAPH_WEIGHT ? &f : &bias, &random);
        else
            fill_normalization(&model->tensors[p], parameter->count, &random);
    }
    model->original_weights = 430500;
    model->original_biases = 580;
    graph_free(g);
    return model;
}

/* Every four following rows get the places of their first, but for a few places of their own. Row r
 * has its weight of column c at r * apart + c * next. */
static inline void share_places(pack_tensor *t, size_t rows, size_t columns, size_t apart,
                                size_t next) {
    for (size_t i = 0; i < rows * columns; i++) {
        const size_t row = i / columns;
        const size_t column = i % columns;
        const int32_t first = t->codes[(row - row % 4) * apart + column * next];
        int32_t *code = &t->codes[row * apart + column * next];
        if (i % 61 != 0)
            *code = first == 0 ? 0 : *code != 0 ? *code : -first;
    }
}

/* The same weights as floats. */
static inline void make_floats(pack_tensor *t, size_t count) {
    t->values = base_array(count, sizeof *t->values);
    assert_non_null(t->values);
    for (size_t i = 0; i < count; i++)
        t->values[i] = (float)t->codes[i] * t->step;
    base_free(t->codes);
    *t = (pack_tensor){.form = PACK_FLOAT32, .values = t->values};
}

/* A range for every value that varies, some signed. */
static inline void fill_ranges(pack_model *model, uint64_t seed) {
    base_random random = base_random_at(seed, 1, 1);
    model->ranges = base_array(model->g->value_count, sizeof *model->ranges);
    assert_non_null(model->ranges);
    for (uint32_t v = 0; v < model->g->value_count; v++)
        if (graph_value_varies(model->g, v))
            model->ranges[v] = (pack_range){(float)(1 + base_random_below(&random, 100)) / 64.0F,
                                            base_random_below(&random, 2) == 0};
}

static inline void expect_same_attributes(const graph_node *x, const graph_node *y) {
    switch (x->op) {
    case GRAPH_CONV:
    case GRAPH_TRANSPOSED_CONV:
        assert_int_equal(x->conv.groups, y->conv.groups);
        assert_int_equal(x->conv.biased, y->conv.biased);
        assert_memory_equal(x->conv.output_pad, y->conv.output_pad, sizeof x->conv.output_pad);
        break;
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
        assert_int_equal(x->pool.ceil, y->pool.ceil);
        assert_int_equal(x->pool.counts_padding, y->pool.counts_padding);
        break;
    case GRAPH_REDUCE:
        assert_int_equal(x->reduce.kind, y->reduce.kind);
        assert_int_equal(x->reduce.axes, y->reduce.axes);
        assert_int_equal(x->reduce.keeps, y->reduce.keeps);
        break;
    case GRAPH_INSTANCE_NORMALIZATION:
    case GRAPH_LAYER_NORMALIZATION:
        assert_memory_equal(&x->normalization, &y->normalization, sizeof x->normalization);
        break;
    case GRAPH_RESIZE:
        assert_memory_equal(&x->resize, &y->resize, sizeof x->resize);
        break;
    default: /* others have no gaps, and what is not theirs is zero */
        assert_memory_equal(&x->pad, &y->pad, sizeof x->pad);
        assert_memory_equal(&x->slice, &y->slice, sizeof x->slice);
    }
}

/* In all that makes a graph. */
static inline void expect_same_graph(const graph *a, const graph *b) {
    assert_string_equal(a->name, b->name);
    expect_same_nodes(a, b);
    for (uint32_t n = 0; n < a->node_count; n++) {
        assert_int_equal(a->nodes[n].weight, b->nodes[n].weight);
        assert_int_equal(a->nodes[n].bias, b->nodes[n].bias);
        expect_same_attributes(&a->nodes[n], &b->nodes[n]);
    }
    expect_same_values(a, b);
    assert_int_equal(a->parameter_count, b->parameter_count);
    for (uint32_t p = 0; p < a->parameter_count; p++) {
        assert_int_equal(a->parameters[p].kind, b->parameters[p].kind);
        assert_int_equal(a->parameters[p].node, b->parameters[p].node);
        assert_string_equal(a->parameters[p].name, b->parameters[p].name);
        assert_int_equal(a->parameters[p].rows, b->parameters[p].rows);
        assert_int_equal(a->parameters[p].columns, b->parameters[p].columns);
        assert_int_equal(a->parameters[p].offset, b->parameters[p].offset);
    }
    assert_int_equal(a->constant_count, b->constant_count);
    assert_memory_equal(a->constants, b->constants, a->constant_count * sizeof *a->constants);
    assert_int_equal(a->input, b->input);
    assert_int_equal(a->output, b->output);
    assert_int_equal(a->flat_count, b->flat_count);
}

static inline void expect_equal(const pack_model *a, const pack_model *b) {
    expect_same_graph(a->g, b->g);
    assert_int_equal(a->original_weights, b->original_weights);
    assert_int_equal(a->original_biases, b->original_biases);
    assert_memory_equal(&a->tones, &b->tones, sizeof a->tones);
    for (uint32_t p = 0; p < a->g->parameter_count; p++) {
        const pack_tensor *x = &a->tensors[p];
        const pack_tensor *y = &b->tensors[p];
        size_t count = a->g->parameters[p].count;
        assert_int_equal(x->form, y->form);
        if (x->form == PACK_FLOAT32) {
            assert_memory_equal(x->values, y->values, count * sizeof *x->values);
            continue;
        }
        assert_int_equal(x->levels, y->levels);
        assert_int_equal(x->bits, y->bits);
        assert_memory_equal(&x->step, &y->step, sizeof x->step);
        assert_memory_equal(x->codes, y->codes, count * sizeof *x->codes);
    }
}

static inline bytes encode(const pack_model *model, pack_position_id positions,
                           pack_coder_id values, pack_report *report) {
    const pack_settings settings = {.positions = positions, .values = values};
    bytes file;
    MUST(pack_encode(model, &settings, &file.at, &file.count, report, err));
    return file;
}

static inline uint64_t sum_of(const pack_report *r) {
    return r->bytes_values + r->bytes_positions + r->bytes_codebooks + r->bytes_scales +
           r->bytes_biases + r->bytes_header;
}

/* Encodes, decodes, compares; both reports agree and are the file's size. */
static inline size_t round_trip(const pack_model *model, pack_position_id positions,
                                pack_coder_id values) {
    pack_report written;
    pack_report read;
    pack_model *back;
    bytes file = encode(model, positions, values, &written);
    MUST(pack_decode(file.at, file.count, &back, &read, err));
    expect_equal(model, back);
    assert_int_equal(sum_of(&written), file.count);
    assert_int_equal(sum_of(&read), file.count);
    assert_true(written.bytes_header < 256 + 32 * model->g->node_count);
    for (uint32_t p = 0; p < model->g->parameter_count; p++)
        assert_memory_equal(&written.tensors[p], &read.tensors[p], sizeof written.tensors[p]);
    bytes again = encode(back, positions, values, NULL);
    assert_int_equal(again.count, file.count);
    assert_memory_equal(again.at, file.at, file.count);
    size_t count = file.count;
    base_free(file.at);
    base_free(again.at);
    pack_model_free(back);
    pack_report_free(&written);
    pack_report_free(&read);
    return count;
}

#endif
