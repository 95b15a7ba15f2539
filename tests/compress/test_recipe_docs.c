/* docs/recipe.md says what the schema says: each key's row with what it must be,
 * and an example that gives every key at its default. */
#include "recipes.h"

#include "base/file.h"

#define DOCS "docs/recipe.md"

static char *read_docs(void) {
    uint8_t *text;
    size_t count;
    admmnn_error err = {0};
    if (base_file_read(DOCS, 1U << 20, &text, &count, &err) != ADMMNN_OK)
        fail_msg("%s", err.message);
    return (char *)text;
}

static void expect_row(void *user, const char *path, const cyaml_schema_field_t *field) {
    char expected[320];
    char row[400];
    recipe_schema_expected(&field->value, recipe_schema_range(field), expected, sizeof expected);
    snprintf(row, sizeof row, "| `%s` | %s | ", field->key, expected);
    if (strstr(user, row) == NULL)
        fail_msg("%s: no row for %s: %s", DOCS, path, row);
}

static void every_key_has_its_row(void **state) {
    (void)state;
    char *docs = read_docs();
    walk_keys(recipe_schema(), "", expect_row, docs);
    base_free(docs);
}

/* The first block of YAML, cut out of the text. */
static char *example_of(char *docs) {
    char *from = strstr(docs, "```yaml\n");
    assert_non_null(from);
    from += strlen("```yaml\n");
    char *to = strstr(from, "```");
    assert_non_null(to);
    *to = 0;
    return from;
}

/* Keys whose default is that they are absent. */
static bool is_absent(const char *path) {
    static const char *const absent[] = {"dataset.path", "dataset.mean",   "dataset.deviation",
                                         "prune.keep",   "prune.bit_cost", "quantize.bits"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        if (strncmp(path, absent[i], strlen(absent[i])) == 0)
            return true;
    return false;
}

static void expect_given(void *user, const char *path, const cyaml_schema_field_t *field) {
    (void)field;
    if (!is_absent(path) && recipe_places_find(user, path) == NULL)
        fail_msg("%s: the example does not give %s", DOCS, path);
}

static void the_example_gives_every_key(void **state) {
    (void)state;
    char *docs = read_docs();
    const char *example = example_of(docs);
    recipe_places places;
    assert_int_equal(
        recipe_places_read(DOCS, (const uint8_t *)example, strlen(example), &places, NULL),
        ADMMNN_OK);
    walk_keys(recipe_schema(), "", expect_given, &places);
    recipe_places_free(&places);
    base_free(docs);
}

/* Every key of a and b, which are the map's structures, bit by bit. */
static void compare_maps(const cyaml_schema_value_t *map, const char *above, const char *a,
                         const char *b) {
    for (const cyaml_schema_field_t *f = map->mapping.fields; f->key != NULL; f++) {
        const char *of_a = a + f->data_offset;
        const char *of_b = b + f->data_offset;
        size_t entries = f->value.type == CYAML_SEQUENCE ? f->value.sequence.max : 1;
        char path[RECIPE_PATH_MAX];
        recipe_places_join(path, above, f->key);
        if (f->value.type == CYAML_MAPPING)
            compare_maps(&f->value, path, of_a, of_b);
        else if (memcmp(of_a, of_b, entries * f->value.data_size) != 0)
            fail_msg("%s: the example's %s is not the default", DOCS, path);
    }
}

static void the_example_is_at_the_defaults(void **state) {
    (void)state;
    char *docs = read_docs();
    recipe *a = parse(example_of(docs));
    recipe *b = parse("model: lenet-5\nprune: {rounds: [19, 48, 86]}\n");
    compare_maps(recipe_schema(), "", (const char *)a, (const char *)b);
    base_free(a);
    base_free(b);
    base_free(docs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_its_row),
        cmocka_unit_test(the_example_gives_every_key),
        cmocka_unit_test(the_example_is_at_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
