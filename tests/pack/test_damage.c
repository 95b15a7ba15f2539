/* Damaged files are refused, whatever the damage; so is what only looks whole. */
#include "support.h"

static pack_model *small_model(void) {
    return random_model(small_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
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
static admmnn_status decode_head(const uint8_t *shape_and_nodes, size_t count, admmnn_error *err) {
    base_writer w = {0};
    base_write_bytes(&w, "ADMM\x01\x01x\x00\x00\x00", 10);
    base_write_bytes(&w, shape_and_nodes, count);
    base_write_u32(&w, base_crc32(w.bytes, w.count));
    admmnn_status status = decode(w.bytes, w.count, err);
    base_writer_free(&w);
    return status;
}

static void huge_networks_are_refused_before_memory_is_taken(void **state) {
    (void)state;
    /* 1x1024x1024 into 200 outputs; 65535 nodes; a channel too many; no nodes
     * and nothing else. */
    const uint8_t wide[] = {1, 0x80, 8, 0x80, 8, 1, 2, 0xc8, 1};
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

/* A hundred million places said to follow in no bytes: given up at once. */
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
    bytes later = {base_array_copy("ADMM\x02xxxxxxxxxx", 15, 1), 15};
    mend_checksum(later);
    assert_int_equal(pack_decode(later.at, later.count, &model, NULL, &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "version 2"));
    base_free(later.at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(damage_under_a_right_checksum_is_survived),
        cmocka_unit_test(cuts_under_a_right_checksum_are_noticed),
        cmocka_unit_test(bytes_left_over_are_noticed),
        cmocka_unit_test(huge_networks_are_refused_before_memory_is_taken),
        cmocka_unit_test(a_matrix_without_bytes_takes_no_time),
        cmocka_unit_test(other_files_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
