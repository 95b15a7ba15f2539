/* Ranges of values for 8 bits: how they are found, what the file makes of them. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <unistd.h>

#include "../outputs.h"
#include "pack/convert.h"
#include "pack/model_calibrate.h"
#include "pack/range.h"

#define IMAGES 9

/* ---- one range ---- */

/* Both ends have codes, and no scale of the file's that is finer has. */
static void a_range_holds_both_its_ends(void **state) {
    (void)state;
    const float ends[][2] = {{-1.0F, 3.0F},   {0.0F, 6.0F},   {-7.3F, 0.1F},  {0.0F, 1e-3F},
                             {-2e30F, 1e30F}, {0.0F, 255.0F}, {-0.43F, 2.82F}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const float low = ends[i][0];
        const float high = ends[i][1];
        const pack_range r = range_of(low, high);
        const float most = low < 0.0F ? 127.0F : 255.0F;
        pack_range finer;
        assert_int_equal(r.is_signed, low < 0.0F);
        assert_true(high / r.scale <= most && -low / r.scale <= most);
        assert_true(range_from_bits(range_bits(r) - 1U, &finer));
        assert_true(high / finer.scale > most || -low / finer.scale > most);
    }
}

static void bits_are_a_range_and_back(void **state) {
    (void)state;
    size_t sound = 0;
    for (unsigned bits = 0; bits <= UINT16_MAX; bits++) {
        pack_range r;
        if (!range_from_bits(bits, &r))
            continue;
        sound++;
        assert_int_equal(range_bits(r), bits);
        assert_true(bits == 0 || (r.scale >= FLT_MIN && isfinite(255.0F * r.scale)));
    }
    assert_int_equal(sound, 1 + 2 * (0x7b7f - 0x80 + 1));
}

static void what_is_not_finite_has_no_range(void **state) {
    (void)state;
    assert_true(range_of(0.0F, INFINITY).scale == 0.0F);
    assert_true(range_of(-INFINITY, 1.0F).scale == 0.0F);
    assert_true(range_of(0.0F, NAN).scale == 0.0F);
    assert_true(range_of(-FLT_MAX, 1.0F).scale == 0.0F);
    assert_true(range_of(0.0F, 0.0F).scale > 0.0F);
}

/* ---- the file ---- */

static pack_model *ranged_model(graph *g) {
    pack_model *model = random_model(g, (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
    fill_ranges(model, 8);
    return model;
}

static void expect_same_ranges(const pack_model *a, const pack_model *b) {
    assert_non_null(b->ranges);
    for (uint32_t v = 0; v < a->g->value_count; v++)
        assert_int_equal(range_bits(a->ranges[v]), range_bits(b->ranges[v]));
}

static void a_file_keeps_them(void **state) {
    (void)state;
    graph *const networks[] = {small_network(), normalized_network(), any_network()};
    for (size_t n = 0; n < 3; n++) {
        pack_model *model = ranged_model(networks[n]);
        bytes file = encode(model, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
        pack_model *back;
        MUST(pack_decode(file.at, file.count, &back, NULL, err));
        expect_same_ranges(model, back);
        round_trip(model, PACK_POSITION_AUTO, PACK_CODER_AUTO);
        base_free(back->ranges);
        back->ranges = NULL;
        bytes plain = encode(back, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
        assert_int_equal(file.count, plain.count + 2 * (1 + (size_t)model->g->node_count));
        base_free(plain.at);
        base_free(file.at);
        pack_model_free(back);
        pack_model_free(model);
    }
}

/* Of each node's, one at a time. */
static void a_file_of_no_such_range_is_refused(void **state) {
    (void)state;
    const unsigned bad[] = {0x8000, 0x0001, 0x007f, 0x7b80, 0x7f80, 0xffff};
    pack_model *model = ranged_model(small_network());
    for (uint32_t n = 0; n < model->g->node_count; n++)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            const uint32_t v = model->g->nodes[n].output;
            const pack_range kept = model->ranges[v];
            const unsigned bits = range_bits(kept);
            bytes file = encode(model, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
            model->ranges[v].scale *= 2; /* the two files differ there alone */
            bytes other = encode(model, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
            model->ranges[v] = kept;
            size_t at = 0;
            while (file.at[at] == other.at[at])
                at++;
            at -= (file.at[at] == bits >> 8) ? 1 : 0;
            file.at[at] = (uint8_t)bad[i];
            file.at[at + 1] = (uint8_t)(bad[i] >> 8);
            const uint32_t crc = base_crc32(file.at, file.count - 4);
            for (size_t k = 0; k < 4; k++)
                file.at[file.count - 4 + k] = (uint8_t)(crc >> (8 * k));
            pack_model *back;
            admmnn_error err;
            assert_int_equal(pack_decode(file.at, file.count, &back, NULL, &err), ADMMNN_CORRUPT);
            assert_non_null(strstr(err.message, "ranges"));
            base_free(file.at);
            base_free(other.at);
        }
    pack_model_free(model);
}

static void write_onnx(const pack_model *model, const char *path) {
    const onnx_target target = {.path = path, .force = true};
    uint64_t data_bytes;
    MUST(pack_to_onnx(model, PACK_WEIGHTS_FLOAT32, &target, &data_bytes, err));
}

static admmnn_status read_onnx(const char *path, const char *from, const char *to, pack_model **out,
                               admmnn_error *err) {
    bytes file;
    MUST(base_file_read(path, 1 << 24, &file.at, &file.count, err));
    for (size_t i = 0; from != NULL && i + strlen(from) <= file.count; i++)
        if (memcmp(file.at + i, from, strlen(from)) == 0)
            memcpy(file.at + i, to, strlen(to));
    const onnx_file onnx = {
        .name = path, .folder = "/tmp", .bytes = file.at, .count = file.count, .taken = true};
    onnx_model model;
    bool described;
    MUST(onnx_read(&onnx, &model, err));
    const admmnn_status status = pack_from_onnx(&model, out, &described, err);
    onnx_model_free(&model);
    return status;
}

static void onnx_keeps_them(void **state) {
    (void)state;
    char path[] = "/tmp/admmnn-ranges-XXXXXX";
    pack_model *model = ranged_model(small_network());
    pack_model *back;
    admmnn_error err;
    close(mkstemp(path));
    model->ranges[model->g->input] = (pack_range){0.5F, true}; /* 3f00 */
    write_onnx(model, path);
    MUST(read_onnx(path, NULL, NULL, &back, err));
    expect_same_ranges(model, back);
    pack_model_free(back);
    assert_int_equal(read_onnx(path, "3f00", "3g00", &back, &err), ADMMNN_CORRUPT);
    assert_non_null(strstr(err.message, "admmnn.range"));
    assert_int_equal(read_onnx(path, "3f00", "ff00", &back, &err), ADMMNN_CORRUPT);
    unlink(path);
    pack_model_free(model);
}

/* ---- images ---- */

static data_set make_images(graph_shape shape) {
    const size_t count = IMAGES * graph_shape_count(shape);
    data_set set = {.count = IMAGES, .shape = shape, .classes = 2};
    base_random random = base_random_at(1, 2, 4);
    set.pixels = base_array(count, 1);
    assert_non_null(set.pixels);
    for (size_t i = 0; i < count; i++)
        set.pixels[i] = (uint8_t)base_random_below(&random, 200);
    return set;
}

/* What the reference makes of one value. */
static model_range range_by_reference(const pack_model *model, const float *params,
                                      const float *input, uint32_t value) {
    graph *g;
    model_range r = {0.0F, 0.0F};
    MUST(graph_clone(model->g, &g, err));
    g->output = value;
    const size_t count = IMAGES * graph_value_count(g, value);
    float *made = base_array(count, sizeof *made);
    forward(g, params, input, IMAGES, made);
    for (size_t i = 0; i < count; i++) {
        r.low = fminf(r.low, made[i]);
        r.high = fmaxf(r.high, made[i]);
    }
    base_free(made);
    graph_free(g);
    return r;
}

static void expect_measured(pack_model *model) {
    const graph *g = model->g;
    const graph_shape shape = g->values[g->input].shape;
    const size_t inputs = graph_shape_count(shape);
    model->tones = data_tones_of(0.25F, 2.0F);
    data_set set = make_images(shape);
    float *params = base_array(g->flat_count, sizeof *params);
    float *input = base_array(IMAGES * inputs, sizeof *input);
    model_range *ranges = base_array(g->value_count, sizeof *ranges);
    base_pool *pool;
    pack_model_values(model, params);
    for (size_t i = 0; i < IMAGES * inputs; i++)
        input[i] = ((float)set.pixels[i] / 255.0F - 0.25F) * 2.0F;
    MUST(base_pool_create(2, &pool, err));
    MUST(model_calibrate(model, params, &set, pool, ranges, err));
    assert_true(ranges[g->input].low == -0.5F && ranges[g->input].high == 1.5F);
    for (uint32_t n = 0; n < g->node_count; n++) {
        const uint32_t v = g->nodes[n].output;
        const model_range r = range_by_reference(model, params, input, v);
        const float most = fmaxf(-r.low, r.high);
        if (!(fabsf(r.low - ranges[v].low) <= 1e-4F * most) ||
            !(fabsf(r.high - ranges[v].high) <= 1e-4F * most))
            fail_msg("%s: %s: [%g, %g], by the reference [%g, %g]", g->name, g->nodes[n].name,
                     (double)ranges[v].low, (double)ranges[v].high, (double)r.low, (double)r.high);
    }
    base_pool_destroy(pool);
    base_free(ranges);
    base_free(input);
    base_free(params);
    base_free(set.pixels);
}

static void ranges_are_those_of_the_reference(void **state) {
    (void)state;
    graph *const networks[] = {small_network(), normalized_network(), any_network()};
    for (size_t n = 0; n < sizeof networks / sizeof networks[0]; n++) {
        pack_model *model = random_model(networks[n], (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
        expect_measured(model);
        pack_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_holds_both_its_ends),
        cmocka_unit_test(bits_are_a_range_and_back),
        cmocka_unit_test(what_is_not_finite_has_no_range),
        cmocka_unit_test(a_file_keeps_them),
        cmocka_unit_test(a_file_of_no_such_range_is_refused),
        cmocka_unit_test(onnx_keeps_them),
        cmocka_unit_test(ranges_are_those_of_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
