#include "comparison.h"

#include <stdio.h>
#include <sys/stat.h>

#include "admmnn/compress.h"
#include "fail.h"
#include "print.h"

#define PATH_SIZE 4096

static bool path_of(char path[PATH_SIZE], const char *folder) {
    int used = snprintf(path, PATH_SIZE, "%s/comparison.json", folder);
    return used > 0 && used < PATH_SIZE;
}

bool cli_is_comparison(const char *folder) {
    char path[PATH_SIZE];
    struct stat info;
    return path_of(path, folder) && stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static double number_in(const cJSON *object, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static const char *text_in(const cJSON *object, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(value) ? value->valuestring : "?";
}

static void print_point(const cJSON *method, const cJSON *point) {
    const cJSON *test = cJSON_GetObjectItemCaseSensitive(point, "test_accuracy");
    const cJSON *kept = cJSON_GetObjectItemCaseSensitive(point, "kept");
    cli_print("  %-34.34s %8.4gx %10.0f %9.2f +- %.2f\n", text_in(method, "label"),
              number_in(point, "ratio"), number_in(kept, "mean"), 100 * number_in(test, "mean"),
              100 * number_in(test, "deviation"));
}

static void print_table(const cJSON *comparison) {
    const cJSON *method;
    const cJSON *point;
    cli_print("\n%s, %.0f seeds a point\n\n  %-34s %9s %10s  test accuracy (%%)\n",
              text_in(comparison, "model"), number_in(comparison, "seeds"), "method", "ratio",
              "kept");
    cJSON_ArrayForEach(method, cJSON_GetObjectItemCaseSensitive(comparison, "methods"))
        cJSON_ArrayForEach(point, cJSON_GetObjectItemCaseSensitive(method, "points"))
            print_point(method, point);
}

admmnn_status cli_print_comparison(const cli_arguments *arguments, const char *folder,
                                   admmnn_error *err) {
    char *text;
    CLI_TRY(admmnn_comparison_json(folder, &text, err));
    if (arguments->json) {
        cli_print_text(text);
        admmnn_text_free(text);
        return ADMMNN_OK;
    }
    cJSON *comparison = cJSON_Parse(text);
    admmnn_text_free(text);
    if (comparison == NULL)
        return cli_fail(err, ADMMNN_MEMORY, "out of memory for the comparison");
    print_table(comparison);
    cJSON_Delete(comparison);
    cli_print("\n  picture: %s/comparison.svg\n", folder);
    return ADMMNN_OK;
}
