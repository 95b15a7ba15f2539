#include "options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static bool read_number(const char *text, unsigned *number) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || value > UINT_MAX)
        return false;
    *number = (unsigned)value;
    return true;
}

static bool read_value(const bench_option *option, const char *text) {
    if (option->number != NULL)
        return read_number(text, option->number);
    if (option->text != NULL) {
        *option->text = text;
        return true;
    }
    char *end;
    *option->real = strtod(text, &end);
    return end != text && *end == 0;
}

bool bench_options_read(int argc, char **argv, const bench_option *options, size_t count,
                        bool *json) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            *json = true;
            continue;
        }
        size_t k = 0;
        while (k < count && strcmp(options[k].name, argv[i]) != 0)
            k++;
        if (k == count || ++i == argc || !read_value(&options[k], argv[i]))
            return false;
    }
    return true;
}

static admmnn_status leave(const char *folder, const char *name, const float *values, size_t count,
                           admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, folder, name, err));
    return base_file_write(path, values, count * sizeof *values, err);
}

admmnn_status bench_leave(const char *folder, const float *input, size_t inputs,
                          const float *output, size_t outputs, admmnn_error *err) {
    BASE_TRY(leave(folder, "input.f32", input, inputs, err));
    return leave(folder, "output.f32", output, outputs, err);
}

int bench_exit(const char *program, admmnn_status status, const admmnn_error *err) {
    if (status != ADMMNN_OK)
        fprintf(stderr, "%s: %s\n", program, err->message);
    return admmnn_status_exit(status);
}
