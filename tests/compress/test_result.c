/* The result's JSON and back, and the table people read. */
#include "engine/support.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "compress/result.h"
#include "must.h"

#define MNIST "eeac857521c3e028f2786f2d6838cf339ece6b0872940d32c58bca7572cf0c9e"

static compress_result *make(uint64_t seed, uint32_t layers) {
    compress_result *r = base_array(1, sizeof *r);
    assert_non_null(r);
    base_random random = base_random_at(seed, 0, 0);
    snprintf(r->recipe, sizeof r->recipe, "a \"b\"\\c\td/%s.yaml", "\xc3\xa9");
    snprintf(r->recipe_sha256, sizeof r->recipe_sha256, "%064d", 7);
    snprintf(r->data_sha256, sizeof r->data_sha256, "%064d", 8);
    snprintf(r->model, sizeof r->model, "lenet-5");
    r->seed = base_random_next(&random) >> 11;
    r->threads = 2;
    double *shares[] = {&r->accuracy.dense,    &r->accuracy.pruned,       &r->accuracy.compressed,
                        &r->accuracy.packed,   &r->validation.dense,      &r->validation.pruned,
                        &r->projection.before, &r->validation.compressed, &r->projection.after,
                        &r->projection.levels};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
        *shares[i] = (double)(base_random_next(&random) >> 11) * 0x1p-53;
    double *numbers[] = {&r->ratio.pruning,      &r->ratio.data_only, &r->ratio.relative_indices,
                         &r->ratio.with_indices, &r->ratio.file,      &r->seconds_total};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = (double)(base_random_next(&random) >> 11) * 0x1p-46;
    for (int s = 0; s < 6; s++)
        r->seconds_stages[s] = (double)base_random_uniform(&random) / 3;
    r->validation.pruned = -1;
    uint64_t *counts[] = {&r->bytes.dense_fp32_biases,
                          &r->bytes.dense_fp32,
                          &r->bytes.data,
                          &r->bytes.relative_indices,
                          &r->bytes.file,
                          &r->bytes.values,
                          &r->bytes.indices,
                          &r->bytes.codebooks,
                          &r->bytes.scales,
                          &r->bytes.biases,
                          &r->bytes.header,
                          &r->bytes.dense_zstd,
                          &r->bytes.int8_zstd,
                          &r->bytes.with_indices};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        *counts[i] = base_random_next(&random) >> 30;
    r->layer_count = layers;
    for (uint32_t l = 0; l < layers; l++) {
        result_layer *layer = &r->layers[l];
        snprintf(layer->name, sizeof layer->name, "fc%u", l);
        layer->weights = 1 + base_random_below(&random, 1000000);
        layer->kept = layer->weights / (l + 1);
        layer->rows = base_random_below(&random, UINT32_MAX);
        layer->columns = 7;
        layer->bits = 3;
        layer->index_bits = 9;
        layer->index_entries = base_random_next(&random) >> 20;
        layer->bytes = 123 + l;
        snprintf(layer->positions, sizeof layer->positions, "entropy");
        snprintf(layer->values, sizeof layer->values, "range");
    }
    return r;
}

/* The caller's, base_free. */
static char *json_of(const compress_result *r) {
    base_writer out = {0};
    compress_result_json(r, &out);
    base_write_u8(&out, 0);
    assert_false(out.failed);
    return (char *)out.bytes;
}

static void json_and_back(void **state) {
    (void)state;
    static const uint32_t layers[] = {1, 4, RECIPE_LAYERS_MAX};
    compress_result *again = base_array(1, sizeof *again);
    for (uint64_t seed = 0; seed < 30; seed++) {
        compress_result *r = make(seed, layers[seed % 3]);
        char *json = json_of(r);
        assert_int_equal(compress_result_parse("r.json", json, strlen(json), again, NULL),
                         ADMMNN_OK);
        assert_memory_equal(r, again, sizeof *r);
        base_free(json);
        base_free(r);
    }
    base_free(again);
}

/* Bytes that are no UTF-8 grow when they are written; what is too long is cut between
 * two characters. */
static void a_long_odd_path_comes_back_cut(void **state) {
    (void)state;
    compress_result *again = base_array(1, sizeof *again);
    for (size_t plain = 0; plain < 4; plain++) {
        compress_result *r = make(9, 1);
        memset(r->recipe, 'a', plain);
        memset(r->recipe + plain, 0xff, sizeof r->recipe - 1 - plain);
        char *json = json_of(r);
        assert_int_equal(compress_result_parse("r.json", json, strlen(json), again, NULL),
                         ADMMNN_OK);
        size_t whole = (sizeof r->recipe - 1 - plain) / 3;
        assert_int_equal(strlen(again->recipe), plain + 3 * whole);
        for (size_t i = 0; i < whole; i++)
            assert_memory_equal(again->recipe + plain + 3 * i, "\xef\xbf\xbd", 3);
        memcpy(r->recipe, again->recipe, sizeof r->recipe);
        assert_memory_equal(r, again, sizeof *r);
        base_free(json);
        base_free(r);
    }
    base_free(again);
}

/* The keys that others read, by a JSON reader of their own. */
static void the_promised_keys(void **state) {
    (void)state;
    static const char *const objects[][7] = {
        {"accuracy", "dense", "pruned", "compressed", "packed"},
        {"ratio", "pruning", "data_only", "relative_indices", "with_indices", "file"},
        {"bytes", "dense_fp32", "data", "relative_indices", "with_indices", "file"},
        {"seconds", "total"},
    };
    static const char *const of_layer[] = {"weights", "kept", "bits", "index_bits", "bytes"};
    compress_result *r = make(1, 4);
    char *json = json_of(r);
    cJSON *root = cJSON_Parse(json);
    for (size_t o = 0; o < sizeof objects / sizeof objects[0]; o++)
        for (size_t k = 1; objects[o][k] != NULL; k++)
            assert_true(cJSON_IsNumber(
                cJSON_GetObjectItem(cJSON_GetObjectItem(root, objects[o][0]), objects[o][k])));
    assert_true(cJSON_GetObjectItem(root, "seed")->valuedouble == (double)r->seed);
    cJSON *layers = cJSON_GetObjectItem(root, "layers");
    assert_int_equal(cJSON_GetArraySize(layers), 4);
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(layers, 2), "name")->valuestring,
                        "fc2");
    for (size_t k = 0; k < sizeof of_layer / sizeof of_layer[0]; k++)
        assert_true(
            cJSON_IsNumber(cJSON_GetObjectItem(cJSON_GetArrayItem(layers, 3), of_layer[k])));
    cJSON_Delete(root);
    base_free(json);
    base_free(r);
}

/* json[count] is zero. */
static void expect_corrupt_bytes(const char *json, size_t count, const char *reason) {
    compress_result *r = base_array(1, sizeof *r);
    admmnn_error err = {0};
    if (compress_result_parse("r.json", json, count, r, &err) != ADMMNN_CORRUPT)
        fail_msg("taken for a result, without '%s': %s", reason == NULL ? "" : reason, json);
    assert_ptr_equal(strstr(err.message, "r.json: "), err.message);
    if (reason != NULL && strstr(err.message, reason) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, reason);
    base_free(r);
}

static void expect_corrupt(const char *json, const char *reason) {
    expect_corrupt_bytes(json, strlen(json), reason);
}

static void a_text_cut_short_is_corrupt(void **state) {
    (void)state;
    compress_result *r = make(2, 2);
    char *json = json_of(r);
    for (size_t length = strlen(json) - 2; length-- > 0;) {
        json[length] = 0;
        expect_corrupt(json, length > 1 ? "not JSON" : NULL);
    }
    base_free(json);
    base_free(r);
}

static void what_follows_the_text_is_corrupt(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        bool right;
    } ends[] = {{" \r\n\t\n", 5, true}, {"x", 1, false},        {"{}", 2, false}, {"\0", 1, false},
                {"\0junk", 5, false},   {"\n\x1b[m", 4, false}, {",", 1, false}};
    compress_result *again = base_array(1, sizeof *again);
    compress_result *r = make(2, 2);
    char *json = json_of(r);
    const size_t count = strlen(json);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *text = base_array(count + ends[i].count + 1, 1);
        memcpy(text, json, count);
        memcpy(text + count, ends[i].bytes, ends[i].count);
        if (!ends[i].right)
            expect_corrupt_bytes(text, count + ends[i].count, "not JSON");
        else
            assert_int_equal(
                compress_result_parse("r.json", text, count + ends[i].count, again, NULL),
                ADMMNN_OK);
        base_free(text);
    }
    base_free(json);
    base_free(r);
    base_free(again);
}

/* Removes and spoils each key of an object in turn, down to the leaves. */
static void spoil_each(const cJSON *root, cJSON *object) {
    int count = cJSON_GetArraySize(object);
    for (int i = 0; i < count; i++) {
        cJSON *item = cJSON_GetArrayItem(object, i);
        if (cJSON_IsObject(item) || cJSON_IsArray(item))
            spoil_each(root, item);
        if (cJSON_IsArray(object))
            continue;
        char *key = item->string;
        item->string = "gone";
        char *text = cJSON_PrintUnformatted(root);
        if (strcmp(key, "model_sha256") != 0) /* not of before */
            expect_corrupt(text, cJSON_IsObject(item) ? NULL : key);
        cJSON_free(text);
        item->string = key;
        int type = item->type;
        item->type = cJSON_True;
        text = cJSON_PrintUnformatted(root);
        expect_corrupt(text, NULL);
        cJSON_free(text);
        item->type = type;
    }
}

static void every_key_is_asked_for(void **state) {
    (void)state;
    compress_result *r = make(3, 2);
    char *json = json_of(r);
    cJSON *root = cJSON_Parse(json);
    assert_non_null(root);
    spoil_each(root, root);
    cJSON_Delete(root);
    base_free(json);
    base_free(r);
}

/* Runs of before had no model files. */
static void older_results_are_read(void **state) {
    (void)state;
    compress_result *r = make(3, 2);
    compress_result *again = base_array(1, sizeof *again);
    snprintf(r->model_sha256, sizeof r->model_sha256, "%064d", 9);
    char *json = json_of(r);
    MUST(compress_result_parse("r.json", json, strlen(json), again, err));
    assert_string_equal(again->model_sha256, r->model_sha256);
    cJSON *root = cJSON_Parse(json);
    cJSON_DeleteItemFromObject(root, "model_sha256");
    char *text = cJSON_PrintUnformatted(root);
    MUST(compress_result_parse("r.json", text, strlen(text), again, err));
    assert_string_equal(again->model_sha256, "");
    cJSON_free(text);
    cJSON_Delete(root);
    base_free(json);
    base_free(r);
    base_free(again);
}

static void expect_replaced(const char *from, const char *to, const char *reason) {
    compress_result *r = make(4, 1);
    char *json = json_of(r);
    char *at = strstr(json, from);
    assert_non_null(at);
    size_t size = strlen(json) + strlen(to) + 1;
    char *text = base_array(size, 1);
    snprintf(text, size, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    expect_corrupt(text, reason);
    base_free(text);
    base_free(json);
    base_free(r);
}

static void values_that_cannot_be(void **state) {
    (void)state;
    expect_replaced("\"threads\": 2", "\"threads\": -1", "threads");
    expect_replaced("\"threads\": 2", "\"threads\": 4294967298", "threads");
    expect_replaced("\"threads\": 2", "\"threads\": 1e300", "threads");
    expect_replaced("\"name\": \"fc0\"", "\"name\": \"a name longer than any layer's, 32 bytes\"",
                    "name");
    expect_replaced("\"weights\": ", "\"weights\": 0, \"was\": ", "kept");
    expect_replaced("\"threads\": 2", "\"threads\": 2.5", "threads");
    expect_replaced("\"seed\": ", "\"seed\": 1.5, \"was\": ", "seed");
    expect_replaced("\"seed\": ", "\"seed\": 9007199254740992, \"was\": ", "seed");
    expect_replaced("\"bits\": 3", "\"bits\": 1e9", "bits");
    expect_replaced("\"index_bits\": 9", "\"index_bits\": 33", "index_bits");
    expect_replaced("\"dense\": ", "\"dense\": 1.01, \"was\": ", "dense");
    expect_replaced("\"pruned\": ", "\"pruned\": -0.5, \"was\": ", "pruned");
    expect_replaced("\"levels\": ", "\"levels\": 1e999, \"was\": ", "levels");
    expect_replaced("\"file\": ", "\"file\": 1e999, \"was\": ", "file");
    expect_replaced("\"total\": ", "\"total\": -1, \"was\": ", "total");
    /* A terminal would obey them. */
    expect_replaced("\"fc0\"", "\"\\u001b[31mfc0\"", "name");
    expect_replaced("\"fc0\"", "\"\x1b[31mfc0\"", "not JSON");
    expect_replaced("\"fc0\"",
                    "\"\xc2\x9b"
                    "31mfc0\"",
                    "name");
    expect_replaced("\"lenet-5\"", "\"lenet\\n5\"", "model");
    expect_replaced("\"range\"", "\"ra\\u007fge\"", "values");
    expect_corrupt("", "not JSON");
    expect_corrupt("[]", NULL);
    expect_corrupt("{}", "recipe");
    compress_result *r = make(5, RECIPE_LAYERS_MAX);
    char *json = json_of(r);
    cJSON *root = cJSON_Parse(json);
    cJSON *layers = cJSON_GetObjectItem(root, "layers");
    cJSON_AddItemToArray(layers, cJSON_Duplicate(cJSON_GetArrayItem(layers, 0), 1));
    char *more = cJSON_PrintUnformatted(root);
    expect_corrupt(more, "layers");
    cJSON_free(more);
    cJSON_Delete(root);
    base_free(json);
    r->layer_count = 0;
    json = json_of(r);
    expect_corrupt(json, "layers");
    base_free(json);
    base_free(r);
}

static void what_is_not_finite_is_no_figure(void **state) {
    (void)state;
    compress_result *r = make(6, 1);
    r->ratio.file = NAN;
    char *json = json_of(r);
    assert_non_null(strstr(json, "\"file\": null"));
    expect_corrupt(json, "file");
    base_free(json);
    base_free(r);
}

static void expect_text(const char *table, const char *text) {
    if (strstr(table, text) == NULL)
        fail_msg("no '%s' in the table:\n%s", text, table);
}

static char *table_of(const compress_result *r) {
    base_writer out = {0};
    compress_result_table(r, &out);
    base_write_u8(&out, 0);
    assert_false(out.failed);
    return (char *)out.bytes;
}

static void the_table(void **state) {
    (void)state;
    compress_result *r = make(7, 2);
    r->seed = 42;
    r->accuracy.dense = 0.9946;
    r->accuracy.packed = 0.99321;
    r->ratio.pruning = 169.04;
    r->ratio.data_only = 2268.4;
    r->ratio.relative_indices = 542.1;
    r->ratio.with_indices = 698.2;
    r->bytes.data = 759;
    r->bytes.relative_indices = 3177;
    r->bytes.with_indices = 2466;
    snprintf(r->data_sha256, sizeof r->data_sha256, MNIST);
    r->projection.before = 0.9911;
    r->projection.after = 0.985;
    r->projection.levels = -1;
    r->validation.pruned = 0.9902;
    r->bytes.file = 3141;
    r->layers[0].weights = 500;
    r->layers[0].kept = 25;
    char *table = table_of(r);
    expect_text(table, "lenet-5 on MNIST, seed 42");
    expect_text(table, "       500       25    5.00%     3      9      123");
    expect_text(table, "test accuracy, dense (%)                   99.46     99.20");
    expect_text(table, "test accuracy, packed file (%)             99.32            ");
    expect_text(table, "test accuracy, pruned + quantized (%) ");
    expect_text(table, "weights, dense / kept                     169.0x    167.0x");
    expect_text(table, "data only                                  2268x     1910x");
    expect_text(table, "data with relative indices                  542x      623x");
    expect_text(table, "data with indices, as stored                698x            as");
    expect_text(table, "data only 759; with relative indices 3177; with indices, as stored 2466\n");
    expect_text(table, "model.admm 3141 = values ");
    expect_text(table,
                "validation accuracy (%): 99.11 before the last hard pruning, 98.50 after "
                "it, 99.02 retrained\n");
    assert_null(strstr(table, "projection to levels"));
    expect_text(table,
                "paper: Ren et al. 2018, pruned 167x; data only 0.89 KB, with relative indices "
                "2.73 KB\n");
    base_free(table);
    r->ratio.pruning = 89.6;
    table = table_of(r);
    expect_text(table, "weights, dense / kept                      89.6x     85.0x");
    expect_text(table, "data only                                  2268x            ");
    expect_text(table, "paper: Ren et al. 2018, pruned 85x\n");
    base_free(table);
    r->data_sha256[0] = '1';
    table = table_of(r);
    assert_null(strstr(table, " paper\n"));
    assert_null(strstr(table, "et al."));
    assert_null(strstr(table, "99.20"));
    expect_text(table, "lenet-5 on data 1eac857521c3, seed 42");
    base_free(table);
    r->data_sha256[0] = 'e';
    snprintf(r->model, sizeof r->model, "unheard-of");
    table = table_of(r);
    assert_null(strstr(table, "et al."));
    expect_text(table, "data only                                  2268x            ");
    base_free(table);
    base_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_and_back),
        cmocka_unit_test(a_long_odd_path_comes_back_cut),
        cmocka_unit_test(the_promised_keys),
        cmocka_unit_test(a_text_cut_short_is_corrupt),
        cmocka_unit_test(what_follows_the_text_is_corrupt),
        cmocka_unit_test(every_key_is_asked_for),
        cmocka_unit_test(older_results_are_read),
        cmocka_unit_test(values_that_cannot_be),
        cmocka_unit_test(what_is_not_finite_is_no_figure),
        cmocka_unit_test(the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
