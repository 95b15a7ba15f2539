/* Random sparse networks, packed and compared, for the tests of pack/. */
#ifndef TESTS_PACK_SUPPORT_H
#define TESTS_PACK_SUPPORT_H

#include "base/bytes.h"
#include "base/hash.h"
#include "networks.h"
#include "pack/format.h"
#include "pack/pack.h"

static inline graph *one_product(uint32_t inputs, uint32_t outputs) {
    graph *g;
    uint32_t v;
    MUST(graph_create("one", graph_shape_image(inputs, 1, 1), &g, err));
    MUST(graph_add_inner_product(g, "fc1", g->input, outputs, true, &v, err));
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

static inline void expect_equal(const pack_model *a, const pack_model *b) {
    assert_string_equal(a->g->name, b->g->name);
    expect_same_nodes(a->g, b->g);
    assert_memory_equal(a->g->values, b->g->values, a->g->value_count * sizeof *a->g->values);
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
    assert_true(written.bytes_header < 512);
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
