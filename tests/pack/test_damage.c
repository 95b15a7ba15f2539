/* Damaged files are refused, whatever the damage; so is what only looks whole. */
#include "support.h"

static pack_model *small_model(void) {
    return random_model(small_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
}

/* Of version 2. */
static pack_model *any_model(void) {
    return random_model(any_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
}

/* The bytes before the first tensor's description. */
static size_t head_bytes(const pack_model *model) {
    const unsigned version = topology_version(model->g);
    base_writer w = {0};
    topology_write_text(model->g->name, &w);
    base_write_varint(&w, model->original_weights);
    base_write_varint(&w, model->original_biases);
    topology_write(model->g, version, &w);
    const size_t count = w.count + 6; /* and the magic, the version and the flags */
    base_writer_free(&w);
    return count;
}

static admmnn_status decode(const uint8_t *at, size_t count, admmnn_error *err) {
    /* A copy of its own size: a read beyond it is seen by the sanitizer. */
    uint8_t *copy = base_array_copy(at, count, 1);
    pack_model *model = NULL;
    pack_report report;
    admmnn_status status = pack_decode(copy, count, &model, &report, err);
    if (status == ADMMNN_OK) {
        pack_model_free(model);
        pack_report_free(&report);
    }
    base_free(copy);
    return status;
}

static void every_flipped_bit_is_noticed(void **state) {
    (void)state;
    pack_model *model = small_model();
    bytes file = encode(model, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    admmnn_error err;
    for (size_t i = 0; i < file.count; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            file.at[i] ^= (uint8_t)(1U << bit);
            err.status = ADMMNN_OK;
            assert_int_equal(decode(file.at, file.count, &err), ADMMNN_CORRUPT);
            assert_int_equal(err.status, ADMMNN_CORRUPT);
            assert_true(strlen(err.message) > 10);
            file.at[i] ^= (uint8_t)(1U << bit);
        }
    assert_int_equal(decode(file.at, file.count, NULL), ADMMNN_OK);
    base_free(file.at);
    pack_model_free(model);
}

static void every_truncation_is_noticed(void **state) {
    (void)state;
    pack_model *model = small_model();
    bytes file = encode(model, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    for (size_t count = 0; count < file.count; count++)
        assert_int_equal(decode(file.at, count, NULL), ADMMNN_CORRUPT);
    base_free(file.at);
    pack_model_free(model);
}

static void mend_checksum(bytes file) {
    uint32_t crc = base_crc32(file.at, file.count - 4);
    for (int i = 0; i < 4; i++)
        file.at[file.count - 4 + (size_t)i] = (uint8_t)(crc >> (8 * i));
}

/* With the checksum made right the reader is on its own: whatever it accepts is
 * a sound model, which packs again. */
static void damage_under_a_right_checksum_is_survived(void **state) {
    (void)state;
    for (int p = PACK_POSITION_DENSE; p <= PACK_POSITION_ENTROPY; p++)
        for (int v = PACK_CODER_FIXED; v <= PACK_CODER_RANGE; v++) {
            pack_model *model = small_model();
            bytes file = encode(model, (pack_position_id)p, (pack_coder_id)v, NULL);
            for (size_t i = 0; i + 4 < file.count; i++)
                for (unsigned bit = 0; bit < 8; bit += 1 + (unsigned)(i > 64)) {
                    pack_model *back;
                    file.at[i] ^= (uint8_t)(1U << bit);
                    mend_checksum(file);
                    if (pack_decode(file.at, file.count, &back, NULL, NULL) == ADMMNN_OK) {
                        bytes again = encode(back, PACK_POSITION_RELATIVE, PACK_CODER_FIXED, NULL);
                        base_free(again.at);
                        pack_model_free(back);
                    }
                    file.at[i] ^= (uint8_t)(1U << bit);
                }
            base_free(file.at);
            pack_model_free(model);
        }
}

/* A network of any operations, damaged in its description, bit by bit and cut anywhere. */
static void damage_of_any_network_is_survived(void **state) {
    (void)state;
    pack_model *model = any_model();
    bytes file = encode(model, PACK_POSITION_RELATIVE, PACK_CODER_FIXED, NULL);
    size_t refused = 0;
    const size_t head = head_bytes(model);
    for (size_t i = 0; i < head; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            pack_model *back;
            file.at[i] ^= (uint8_t)(1U << bit);
            mend_checksum(file);
            const admmnn_status status = pack_decode(file.at, file.count, &back, NULL, NULL);
            refused += status != ADMMNN_OK;
            if (status == ADMMNN_OK) {
                round_trip(back, PACK_POSITION_RELATIVE, PACK_CODER_FIXED);
                pack_model_free(back);
            }
            file.at[i] ^= (uint8_t)(1U << bit);
        }
    assert_true(refused > 4 * head); /* half of them */
    for (size_t count = 5; count < file.count; count++) {
        bytes cut = {base_array_copy(file.at, count, 1), count};
        mend_checksum(cut);
        assert_int_equal(decode(cut.at, cut.count, NULL), ADMMNN_CORRUPT);
        base_free(cut.at);
    }
    base_free(file.at);
    pack_model_free(model);
}

/* Any bytes are what a range coder might have written; plain bits have an end. */
static void cuts_under_a_right_checksum_are_noticed(void **state) {
    (void)state;
    for (int p = PACK_POSITION_RELATIVE; p <= PACK_POSITION_ENTROPY; p++)
        for (int v = PACK_CODER_FIXED; v <= PACK_CODER_RANGE; v++) {
            bool plain = p != PACK_POSITION_ENTROPY && v != PACK_CODER_RANGE;
            pack_model *model = small_model();
            bytes file = encode(model, (pack_position_id)p, (pack_coder_id)v, NULL);
            for (size_t count = 5; count < file.count; count++) {
                bytes cut = {base_array_copy(file.at, count, 1), count};
                mend_checksum(cut);
                admmnn_status status = decode(cut.at, cut.count, NULL);
                assert_true(status == ADMMNN_CORRUPT || (status == ADMMNN_OK && !plain));
                base_free(cut.at);
            }
            base_free(file.at);
            pack_model_free(model);
        }
}

static void bytes_left_over_are_noticed(void **state) {
    (void)state;
    pack_model *model = small_model();
    bytes file = encode(model, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    bytes longer = {base_array(file.count + 3, 1), file.count + 3};
    memcpy(longer.at, file.at, file.count - 4);
    longer.at[file.count - 4] = 0x55;
    mend_checksum(longer);
    assert_int_equal(decode(longer.at, longer.count, NULL), ADMMNN_CORRUPT);
    base_free(longer.at);
    base_free(file.at);
    pack_model_free(model);
}

/* A head of some twenty bytes may ask for anything. */
static admmnn_status decode_version(unsigned version, const uint8_t *shape_and_nodes, size_t count,
                                    admmnn_error *err) {
    base_writer w = {0};
    base_write_bytes(&w, "ADMM", 4);
    base_write_u8(&w, (uint8_t)version);
    base_write_bytes(&w, "\x01x\x00\x00\x00", 5);
    base_write_bytes(&w, shape_and_nodes, count);
    base_write_u32(&w, base_crc32(w.bytes, w.count));
    admmnn_status status = decode(w.bytes, w.count, err);
    base_writer_free(&w);
    return status;
}

static admmnn_status decode_head(const uint8_t *shape_and_nodes, size_t count, admmnn_error *err) {
    return decode_version(PACK_VERSION_CHAIN, shape_and_nodes, count, err);
}

static void huge_networks_are_refused_before_memory_is_taken(void **state) {
    (void)state;
    /* 1x1024x1024 into 400 outputs; 65535 nodes; a channel too many; no nodes
     * and nothing else. */
    const uint8_t wide[] = {1, 0x80, 8, 0x80, 8, 1, 2, 0x90, 3};
    const uint8_t many[] = {1, 1, 1, 0xff, 0xff, 3};
    const uint8_t shape[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 1, 0};
    const uint8_t zero[] = {0, 1, 1, 0};
    admmnn_error err;
    assert_int_equal(decode_head(wide, sizeof wide, &err), ADMMNN_CORRUPT);
    assert_non_null(strstr(err.message, "more parameters"));
    assert_int_equal(decode_head(many, sizeof many, &err), ADMMNN_CORRUPT);
    assert_int_equal(decode_head(shape, sizeof shape, &err), ADMMNN_CORRUPT);
    assert_int_equal(decode_head(zero, sizeof zero, &err), ADMMNN_CORRUPT);
    assert_int_equal(err.status, ADMMNN_CORRUPT);
}

typedef struct head {
    const char *what;
    uint8_t bytes[16];
    size_t count;
} head;

/* Of an input of two numbers: one item, and the output it makes. */
static void items_that_make_no_sense_are_refused(void **state) {
    (void)state;
    const head heads[] = {
        {"nothing follows", {1, 2, 1}, 3},
        {"no items", {1, 2, 0, 0}, 4},
        {"an axis too many", {8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 0, 0}, 13},
        {"an unknown operation", {1, 2, 1, 24, 0, 0}, 6},
        {"a ReLU that is not usual", {1, 2, 1, 0x83, 0, 0}, 6},
        {"a constant with a name", {1, 2, 1, 0x5e, 0, 0, 0, 0, 0, 0}, 10},
        {"a parameter that reads", {1, 2, 1, 0x3f, 1, 0, 0, 0}, 8},
        {"a constant of a gigabyte", {1, 2, 1, 30, 2, 0x80, 0x80, 2, 0x80, 0x80, 2, 0}, 12},
        {"a parameter of no kind", {1, 2, 1, 31, 1, 3, 9, 0, 0}, 9},
        {"a parameter too large", {1, 2, 1, 31, 2, 0x80, 0x80, 2, 0x80, 0x80, 2, 0, 0}, 13},
        {"it reads itself", {1, 2, 1, 0x23, 0, 0}, 6},
        {"it reads before the input", {1, 2, 1, 0x23, 2, 0}, 6},
        {"a sum with what comes later", {1, 2, 1, 13, 0, 0, 0}, 7},
        {"a billion operands", {1, 2, 1, 17, 0xff, 0xff, 0xff, 0xff, 3, 0, 0}, 11},
        {"no operands", {1, 2, 1, 17, 0, 0, 0}, 7},
        {"a kind of sum beyond the last", {1, 2, 1, 13, 1, 6, 0}, 7},
        {"an output from before", {1, 2, 1, 3, 1}, 5},
        {"an output that is a constant", {1, 2, 1, 30, 0, 0, 0, 0, 0, 0}, 10},
        {"a padding of pools of an inner product", {1, 2, 1, 0x82, 0x20, 3, 0}, 7},
        {"a name of what is not before it", {1, 2, 1, 0x43, 1, 1, 'x', 0}, 8},
        {"a name of a control character", {1, 2, 1, 0x43, 0, 1, 7, 0}, 8},
        {"a name of no characters", {1, 2, 1, 0x43, 0, 0, 0}, 7}};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        admmnn_error err;
        const admmnn_status status =
            decode_version(PACK_VERSION_ANY, heads[i].bytes, heads[i].count, &err);
        if (status != ADMMNN_CORRUPT)
            fail_msg("%s: status %d", heads[i].what, (int)status);
    }
    /* And one that does: a ReLU, without parameters, plain or ranged bits. */
    const uint8_t whole[] = {1, 2, 1, 3, 0, 0};
    assert_int_equal(decode_version(PACK_VERSION_ANY, whole, sizeof whole, NULL), ADMMNN_OK);
}

/* A hundred million places said to follow in no bytes: given up at once. */
static void more_than_the_memory_is_refused(void **state) {
    (void)state;
    graph *g = zoo("lenet-300-100"); /* 266,610 parameters: 2 MiB as codes and as floats */
    admmnn_error err = {0};
    assert_int_equal(pack_check_memory(g, 8 * g->flat_count, &err), ADMMNN_OK);
    assert_int_equal(pack_check_memory(g, 8 * g->flat_count - 1, &err), ADMMNN_MEMORY);
    assert_non_null(strstr(err.message, "266610 parameters need at least 2 MiB of memory; there"));
    graph_free(g);
}

static void a_matrix_without_bytes_takes_no_time(void **state) {
    (void)state;
    /* 10,000 inputs to 10,000 outputs; weights: levels, entropy, range; biases: as
     * they come. */
    const uint8_t head[] = {0x90, 0x4e, 1,    1,    1, 2, 0x90, 0x4e, 0xb1, 0, 0,
                            0,    0x80, 0x3f, 0x31, 0, 0, 0,    0x80, 0x3f, 0};
    admmnn_error err;
    assert_int_equal(decode_head(head, sizeof head, &err), ADMMNN_CORRUPT);
    assert_non_null(strstr(err.message, "end early"));
}

static void other_files_are_told_apart(void **state) {
    (void)state;
    pack_model *model;
    admmnn_error err;
    assert_int_equal(pack_decode((const uint8_t *)"hello, world", 12, &model, NULL, &err),
                     ADMMNN_CORRUPT);
    assert_non_null(strstr(err.message, "not an .admm file"));
    bytes later = {base_array_copy("ADMM\x03xxxxxxxxxx", 15, 1), 15};
    mend_checksum(later);
    assert_int_equal(pack_decode(later.at, later.count, &model, NULL, &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "version 3"));
    base_free(later.at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(damage_under_a_right_checksum_is_survived),
        cmocka_unit_test(damage_of_any_network_is_survived),
        cmocka_unit_test(items_that_make_no_sense_are_refused),
        cmocka_unit_test(cuts_under_a_right_checksum_are_noticed),
        cmocka_unit_test(bytes_left_over_are_noticed),
        cmocka_unit_test(huge_networks_are_refused_before_memory_is_taken),
        cmocka_unit_test(more_than_the_memory_is_refused),
        cmocka_unit_test(a_matrix_without_bytes_takes_no_time),
        cmocka_unit_test(other_files_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
