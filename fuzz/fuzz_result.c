/* The JSON that runs and comparisons leave: what is taken for a result is written
 * and read back as the same, and has a table without control characters. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compress/compare_held.h"
#include "compress/result.h"

static void must(bool holds) {
    if (!holds)
        abort();
}

static void must_round_trip(compress_result *first) {
    base_writer json = {0};
    base_writer again = {0};
    base_writer table = {0};
    compress_result *second = base_array(1, sizeof *second);
    must(second != NULL);
    first->recipe[0] = 0; /* what is no UTF-8 in it is written otherwise */
    compress_result_json(first, &json);
    base_write_u8(&json, 0);
    must(!json.failed);
    must(compress_result_parse("again", (char *)json.bytes, json.count - 1, second, NULL) ==
         ADMMNN_OK);
    compress_result_json(second, &again);
    must(again.count == json.count - 1 && memcmp(again.bytes, json.bytes, again.count) == 0);
    compress_result_table(second, &table);
    for (size_t i = 0; i < table.count; i++)
        must(table.bytes[i] >= 0x20 || table.bytes[i] == '\n');
    base_writer_free(&json);
    base_writer_free(&again);
    base_writer_free(&table);
    base_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = base_array(size + 1, 1);
    compress_result *result = base_array(1, sizeof *result);
    compare_held held;
    must(text != NULL && result != NULL);
    if (size > 0)
        memcpy(text, data, size);
    if (compress_result_parse("input", text, size, result, NULL) == ADMMNN_OK)
        must_round_trip(result);
    if (compare_held_parse("input", text, size, &held, NULL) == ADMMNN_OK)
        must(held.first_seed <= held.last_seed && held.ratio_count <= COMPARE_RATIOS_MAX);
    base_free(result);
    base_free(text);
    return 0;
}
