#include "comparison.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "print.h"

static admmnn_status copy_file(const char *path, admmnn_error *err) {
    char part[4096];
    size_t got;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return cli_fail(err, ADMMNN_IO, "%s: cannot open: %s", path, strerror(errno));
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        cli_print("%.*s", (int)got, part);
    bool broken = ferror(file) != 0;
    fclose(file);
    if (broken)
        return cli_fail(err, ADMMNN_IO, "%s: cannot read", path);
    return ADMMNN_OK;
}

admmnn_status cli_print_comparison(const cli_arguments *arguments, const char *folder,
                                   admmnn_error *err) {
    char path[4096];
    if (!arguments->json) {
        cli_print("%s/comparison.json\n%s/comparison.svg\n", folder, folder);
        return ADMMNN_OK;
    }
    int used = snprintf(path, sizeof path, "%s/comparison.json", folder);
    if (used < 0 || (size_t)used >= sizeof path)
        return cli_fail(err, ADMMNN_USAGE, "%.64s: path too long", folder);
    return copy_file(path, err);
}
