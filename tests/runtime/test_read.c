/* The runtime's reader beside that of pack/: what one accepts the other does, whatever the
 * coding, and whatever was done to the file. */
#include <stdlib.h>

#include "support.h"

#define BOUND 1e-5

static pack_model *model_of(graph *g) {
    return random_model(g, (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
}

/* A copy of its own size, so that a read beyond it is seen by the sanitizer. */
static admmnn_runtime_status open_copy(const uint8_t *at, size_t count, admmnn_runtime **model,
                                       admmnn_runtime_error *err) {
    uint8_t *copy = malloc(count == 0 ? 1 : count);
    assert_non_null(copy);
    memcpy(copy, at, count);
    const admmnn_runtime_status status = admmnn_runtime_open_memory(copy, count, NULL, model, err);
    free(copy);
    return status;
}

static admmnn_runtime_status try_open(const uint8_t *at, size_t count) {
    admmnn_runtime *model = NULL;
    admmnn_runtime_error err = {ADMMNN_RUNTIME_OK, NULL, 0};
    const admmnn_runtime_status status = open_copy(at, count, &model, &err);
    assert_int_equal(err.status, status);
    assert_true(status == ADMMNN_RUNTIME_OK || err.reason != NULL);
    admmnn_runtime_close(model);
    return status;
}

static admmnn_status decode(bytes file) {
    pack_model *model = NULL;
    const admmnn_status status = pack_decode(file.at, file.count, &model, NULL, NULL);
    pack_model_free(model);
    return status;
}

/* Accepted by both, or refused by both for the same kind of reason. */
static void expect_one_opinion(bytes file) {
    const admmnn_status theirs = decode(file);
    const admmnn_runtime_status own = try_open(file.at, file.count);
    if (theirs == ADMMNN_OK)
        assert_int_equal(own, ADMMNN_RUNTIME_OK);
    else if (theirs == ADMMNN_UNSUPPORTED)
        assert_int_equal(own, ADMMNN_RUNTIME_UNSUPPORTED);
    else
        assert_int_equal(own, ADMMNN_RUNTIME_CORRUPT);
}

/* ---- what is read is what was written ---- */

typedef graph *network(void);

static network *const networks[] = {small_network, normalized_network, any_network};
#define NETWORKS (sizeof networks / sizeof networks[0])

static void every_coding_gives_the_same_network(void **state) {
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++)
        for (int p = PACK_POSITION_DENSE; p <= PACK_POSITION_ENTROPY; p++)
            for (int v = PACK_CODER_FIXED; v <= PACK_CODER_RANGE; v++) {
                pack_model *packed = model_of(networks[n]());
                bytes file = encode(packed, (pack_position_id)p, (pack_coder_id)v, NULL);
                expect_as_engine(packed, file, BOUND);
                base_free(file.at);
                pack_model_free(packed);
            }
}

/* From one bit to codes that no byte holds; few and all of the weights. */
static void every_kind_of_levels_gives_the_same_network(void **state) {
    (void)state;
    const filling fillings[] = {
        {ADMM_LEVELS_BINARY, 1, 1.0},       {ADMM_LEVELS_BINARY, 1, 0.3},
        {ADMM_LEVELS_TERNARY, 2, 0.5},      {ADMM_LEVELS_SIGN, 1, 1.0},
        {ADMM_LEVELS_POWER_OF_TWO, 4, 0.3}, {ADMM_LEVELS_POWER_OF_TWO, 5, 1.0},
        {ADMM_LEVELS_EQUAL_ZERO, 5, 0.1},   {ADMM_LEVELS_EQUAL_ZERO, 8, 1.0},
        {ADMM_LEVELS_EQUAL, 8, 1.0},        {ADMM_LEVELS_EQUAL, 8, 0.2},
        {ADMM_LEVELS_EQUAL, 12, 0.3},       {ADMM_LEVELS_EQUAL_ZERO, 16, 1.0}};
    for (size_t i = 0; i < sizeof fillings / sizeof fillings[0]; i++)
        for (size_t n = 0; n < NETWORKS; n++) {
            pack_model *packed = random_model(networks[n](), fillings[i], 6);
            bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
            expect_as_engine(packed, file, BOUND);
            base_free(file.at);
            pack_model_free(packed);
        }
}

/* Weights that were never quantized, few and all of them. */
static void floats_give_the_same_network(void **state) {
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++)
        for (int dense = 0; dense < 2; dense++) {
            pack_model *packed = model_of(networks[n]());
            base_random random = base_random_at(4, 1, 1);
            for (uint32_t p = 0; p < packed->g->parameter_count; p++) {
                if (packed->g->parameters[p].kind != GRAPH_WEIGHT)
                    continue;
                base_free(packed->tensors[p].codes);
                fill_floats(&packed->tensors[p], packed->g->parameters[p].count, dense ? 1.0 : 0.1,
                            &random);
            }
            bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
            expect_as_engine(packed, file, BOUND);
            base_free(file.at);
            pack_model_free(packed);
        }
}

static void information_is_that_of_the_file(void **state) {
    (void)state;
    pack_model *packed = model_of(small_network());
    packed->tones = data_tones_of(0.5F, 2.0F);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    admmnn_runtime *model;
    admmnn_runtime_info info;
    uint64_t kept = 0;
    for (uint32_t p = 0; p < packed->g->parameter_count; p++)
        for (size_t i = 0;
             packed->g->parameters[p].kind == GRAPH_WEIGHT && i < packed->g->parameters[p].count;
             i++)
            kept += packed->tensors[p].codes[i] != 0;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
    admmnn_runtime_get_info(model, &info);
    assert_string_equal(info.name, "small");
    assert_int_equal(info.input_rank, 3);
    assert_int_equal(info.input[0], 2);
    assert_int_equal(info.input[1], 9);
    assert_int_equal(info.input[2], 7);
    assert_int_equal(info.inputs, 126);
    assert_int_equal(info.output_rank, 1);
    assert_int_equal(info.outputs, 3);
    assert_true(info.mean[2] == 0.5F && info.scale[0] == 2.0F);
    assert_int_equal(info.weights, graph_weight_count(packed->g));
    assert_int_equal(info.kept, kept);
    admmnn_runtime_close(model);
    base_free(file.at);
    pack_model_free(packed);
}

/* ---- damage ---- */

static void every_flipped_bit_is_noticed(void **state) {
    (void)state;
    pack_model *packed = model_of(small_network());
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    for (size_t i = 0; i < file.count; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            file.at[i] ^= (uint8_t)(1U << bit);
            assert_int_equal(try_open(file.at, file.count), ADMMNN_RUNTIME_CORRUPT);
            file.at[i] ^= (uint8_t)(1U << bit);
        }
    for (size_t count = 0; count < file.count; count++)
        assert_int_equal(try_open(file.at, count), ADMMNN_RUNTIME_CORRUPT);
    assert_int_equal(try_open(file.at, file.count), ADMMNN_RUNTIME_OK);
    base_free(file.at);
    pack_model_free(packed);
}

/* Of every other coding with ranges. */
static pack_model *damaged_model(size_t n, int positions) {
    pack_model *packed = model_of(networks[n]());
    if (positions % 2 == 0)
        fill_ranges(packed, 3);
    return packed;
}

/* With the checksum made right the reader is on its own. */
static void damage_under_a_right_checksum_is_seen_as_pack_sees_it(void **state) {
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++)
        for (int p = PACK_POSITION_DENSE; p <= PACK_POSITION_ENTROPY; p++) {
            pack_model *packed = damaged_model(n, p);
            bytes file =
                encode(packed, (pack_position_id)p,
                       p == PACK_POSITION_ENTROPY ? PACK_CODER_RANGE : PACK_CODER_AUTO, NULL);
            for (size_t i = 0; i + 4 < file.count; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                    file.at[i] ^= (uint8_t)(1U << bit);
                    mend_checksum(file);
                    expect_one_opinion(file);
                    file.at[i] ^= (uint8_t)(1U << bit);
                }
            for (size_t count = 5; count < file.count; count++) {
                bytes cut = {base_array_copy(file.at, count, 1), count};
                mend_checksum(cut);
                expect_one_opinion(cut);
                base_free(cut.at);
            }
            base_free(file.at);
            pack_model_free(packed);
        }
}

/* Names are UTF-8 without control characters, whole characters and no others. */
static void names_are_text(void **state) {
    (void)state;
    const char *const names[] = {"\xc3\xa9tage", "\xe2\x82\xac.", "\xf0\x9f\x98\x80", "\xc2\x9f",
                                 "\xc3",         "\xed\xa0\x80",  "\xc0\x80.",        "a\x7f"};
    const size_t plain = 3;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pack_model *packed = random_model(one_product(3, 2), (filling){ADMM_LEVELS_EQUAL, 3, 1}, 5);
        memset(packed->g->name, 'x', strlen(names[i]));
        packed->g->name[strlen(names[i])] = 0;
        bytes file = encode(packed, PACK_POSITION_BITMAP, PACK_CODER_FIXED, NULL);
        memcpy(file.at + 6, names[i], strlen(names[i])); /* behind magic, version and length */
        mend_checksum(file);
        expect_one_opinion(file);
        assert_int_equal(try_open(file.at, file.count),
                         i < plain ? ADMMNN_RUNTIME_OK : ADMMNN_RUNTIME_CORRUPT);
        base_free(file.at);
        pack_model_free(packed);
    }
}

#define NAMED 40U

/* "n00" to "n39", in no order. */
static void name_of(unsigned node, char name[4]) {
    snprintf(name, 4, "n%02u", (node * 17 + 5) % NAMED);
}

static pack_model *named_model(void) {
    char name[4];
    graph *g;
    MUST(graph_create("named", graph_shape_image(2, 1, 1), &g, err));
    uint32_t value = g->input;
    for (unsigned n = 0; n < NAMED; n++) {
        name_of(n, name);
        MUST(graph_add_relu(g, name, value, &value, err));
    }
    return model_of(g);
}

static size_t find_text(bytes file, const char *text) {
    size_t at = 0;
    while (at + strlen(text) < file.count && memcmp(file.at + at, text, strlen(text)) != 0)
        at++;
    assert_true(at + strlen(text) < file.count);
    return at;
}

/* Whichever of two is the first, and wherever it stands among the others. */
static void no_two_nodes_have_one_name(void **state) {
    (void)state;
    pack_model *packed = named_model();
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    assert_int_equal(try_open(file.at, file.count), ADMMNN_RUNTIME_OK);
    for (unsigned n = 0; n < NAMED; n++) {
        char own[4];
        char taken[4];
        name_of(n, own);
        name_of((n + 13) % NAMED, taken);
        const size_t at = find_text(file, own);
        memcpy(file.at + at, taken, 3);
        mend_checksum(file);
        expect_one_opinion(file);
        assert_int_equal(try_open(file.at, file.count), ADMMNN_RUNTIME_CORRUPT);
        memcpy(file.at + at, own, 3);
    }
    base_free(file.at);
    pack_model_free(packed);
}

/* q is 0: then all codes are. */
static void values_of_no_interval_are_refused(void **state) {
    (void)state;
    pack_model *packed = random_model(one_product(3, 2), (filling){ADMM_LEVELS_EQUAL, 3, 1.0}, 5);
    bytes file = encode(packed, PACK_POSITION_BITMAP, PACK_CODER_FIXED, NULL);
    bool found = false;
    for (size_t i = 0; i + 8 < file.count && !found; i++) {
        float q;
        memcpy(&q, file.at + i, sizeof q);
        found = q == 0.037F;
        if (found)
            memset(file.at + i, 0, sizeof q);
    }
    assert_true(found);
    mend_checksum(file);
    assert_int_equal(decode(file), ADMMNN_CORRUPT);
    assert_int_equal(try_open(file.at, file.count), ADMMNN_RUNTIME_CORRUPT);
    base_free(file.at);
    pack_model_free(packed);
}

/* ---- memory ---- */

/* What is measured is enough at any alignment; with less opening fails, and nothing beyond the
 * arena is touched. */
static void an_arena_of_the_measured_size_is_enough(void **state) {
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++)
        for (int p = PACK_POSITION_DENSE; p <= PACK_POSITION_ENTROPY; p++) {
            pack_model *packed = model_of(networks[n]());
            bytes file = encode(packed, (pack_position_id)p, PACK_CODER_AUTO, NULL);
            admmnn_runtime_settings settings = {.weights = (admmnn_runtime_weights)(n % 3),
                                                .threads = 1 + (unsigned)p % 3};
            size_t needed = 0;
            OPEN(admmnn_runtime_measure(file.at, file.count, &settings, &needed, err));
            for (size_t offset = 0; offset < 20; offset += 3) {
                uint8_t *arena = malloc(needed + offset);
                settings.arena = arena + offset;
                settings.arena_bytes = needed;
                admmnn_runtime *model;
                assert_non_null(arena);
                OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
                admmnn_runtime_close(model);
                free(arena);
            }
            for (size_t less = 0; less + 32 < needed; less += 1 + needed / 97) {
                uint8_t *arena = malloc(less == 0 ? 1 : less);
                settings.arena = arena;
                settings.arena_bytes = less;
                admmnn_runtime *model;
                assert_non_null(arena);
                assert_int_equal(
                    admmnn_runtime_open_memory(file.at, file.count, &settings, &model, NULL),
                    ADMMNN_RUNTIME_ARENA);
                free(arena);
            }
            base_free(file.at);
            pack_model_free(packed);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coding_gives_the_same_network),
        cmocka_unit_test(every_kind_of_levels_gives_the_same_network),
        cmocka_unit_test(floats_give_the_same_network),
        cmocka_unit_test(information_is_that_of_the_file),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(damage_under_a_right_checksum_is_seen_as_pack_sees_it),
        cmocka_unit_test(names_are_text),
        cmocka_unit_test(no_two_nodes_have_one_name),
        cmocka_unit_test(values_of_no_interval_are_refused),
        cmocka_unit_test(an_arena_of_the_measured_size_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
