/* The two files. */
#include "admmnn/export.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/output.h"
#include "export/code.h"
#include "pack/model_file.h"

#define NAME_SIZE (sizeof((admmnn_export_sizes *)0)->name)

/* ---- names ---- */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_part_of_name(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

/* NAME.h would be read in place of a header of the system's, by the code itself and by all that is
 * compiled with its folder among those of headers; where file names have no case, Math.h too. These
 * are C's up to C23, POSIX's, and what else libraries of hosts and boards have. */
static bool is_header(const char *name) {
    static const char *const headers[] = {
        "assert",   "complex",      "ctype",       "errno",   "fenv",      "float",     "inttypes",
        "iso646",   "limits",       "locale",      "math",    "setjmp",    "signal",    "stdalign",
        "stdarg",   "stdatomic",    "stdbit",      "stdbool", "stdckdint", "stddef",    "stdint",
        "stdio",    "stdlib",       "stdnoreturn", "string",  "tgmath",    "threads",   "time",
        "uchar",    "wchar",        "wctype",      "aio",     "cpio",      "dirent",    "dlfcn",
        "endian",   "fcntl",        "fmtmsg",      "fnmatch", "ftw",       "glob",      "grp",
        "iconv",    "langinfo",     "libgen",      "libintl", "monetary",  "mqueue",    "ndbm",
        "netdb",    "nl_types",     "poll",        "pthread", "pwd",       "regex",     "sched",
        "search",   "semaphore",    "spawn",       "strings", "stropts",   "syslog",    "tar",
        "termios",  "trace",        "ulimit",      "unistd",  "utime",     "utmpx",     "wordexp",
        "alloca",   "availability", "byteswap",    "corecrt", "crtdefs",   "elf",       "err",
        "error",    "features",     "getopt",      "ieeefp",  "malloc",    "memory",    "newlib",
        "picolibc", "reent",        "syslimits",   "vadefs",  "values",    "vcruntime", "xlocale",
        "yvals"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (strcasecmp(name, headers[i]) == 0)
            return true;
    return false;
}

static bool is_name(const char *name) {
    size_t length = 0;
    while (is_part_of_name(name[length]))
        length++;
    return name[length] == 0 && is_letter(name[0]) && length < NAME_SIZE;
}

/* The network's, with _ for what no identifier has. */
static void make_name(const char *network, char name[NAME_SIZE]) {
    char plain[NAME_SIZE];
    snprintf(plain, sizeof plain, "%.25s", network);
    for (char *c = plain; *c != 0; c++)
        if (!is_part_of_name(*c))
            *c = '_';
    const bool is_whole = is_letter(plain[0]) && !is_header(plain);
    snprintf(name, NAME_SIZE, "%s%.25s", is_whole ? "" : "model_", plain);
}

static admmnn_status find_name(const char *network, const char *wanted, char name[NAME_SIZE],
                               admmnn_error *err) {
    if (wanted == NULL)
        make_name(network, name);
    else if (!is_name(wanted))
        return base_fail(err, ADMMNN_USAGE,
                         "'%s': no name of a C function; give up to 31 letters, digits and _, a "
                         "letter first",
                         wanted);
    else if (is_header(wanted))
        return base_fail(err, ADMMNN_USAGE,
                         "'%s': %s.h is a header of C's or of the system's; give another name",
                         wanted, wanted);
    else
        snprintf(name, NAME_SIZE, "%s", wanted);
    return ADMMNN_OK;
}

/* ---- the files ---- */

static admmnn_status publish(const export_code *code, char paths[2][BASE_PATH_MAX],
                             admmnn_error *err) {
    const base_writer *texts[] = {&code->source, &code->header};
    base_output *outs[2] = {NULL, NULL};
    admmnn_status status = ADMMNN_OK;
    for (int i = 0; i < 2 && status == ADMMNN_OK; i++)
        status = base_output_open(paths[i], &outs[i], err);
    for (int i = 0; i < 2 && status == ADMMNN_OK; i++)
        base_output_write(outs[i], texts[i]->bytes, texts[i]->count);
    if (status == ADMMNN_OK)
        return base_output_publish(outs, 2, err);
    base_output_drop(outs[0]);
    base_output_drop(outs[1]);
    return status;
}

/* A folder that is not there yet is made when there is something to write. */
static admmnn_status find_paths(const admmnn_export_settings *settings, const char *name,
                                char paths[2][BASE_PATH_MAX], admmnn_error *err) {
    static const char *const endings[] = {"c", "h"};
    const bool is_there = base_name_taken(settings->folder);
    char file[40];
    BASE_TRY(base_folder_check_make(settings->folder, err));
    for (int i = 0; i < 2; i++) {
        snprintf(file, sizeof file, "%s.%s", name, endings[i]);
        BASE_TRY(base_path_join(paths[i], BASE_PATH_MAX, settings->folder, file, err));
        if (is_there)
            BASE_TRY(model_check_output(settings->input, paths[i], settings->force, err));
    }
    return ADMMNN_OK;
}

/* ---- all of it ---- */

static admmnn_status export_model(pack_model *model, const admmnn_export_settings *settings,
                                  const admmnn_context *context, export_code *code,
                                  admmnn_error *err) {
    char paths[2][BASE_PATH_MAX];
    char name[NAME_SIZE];
    const export_code_settings how = {
        .path = settings->input, .name = name, .images = settings->images, .context = context};
    if (settings->images != NULL)
        BASE_TRY(model_choose_tones(model, settings->input, settings->images, &model->tones, err));
    else
        BASE_TRY(model_tell_tones(model, settings->input, settings->mean, settings->deviation,
                                  "so says the header; --mean and --deviation say otherwise",
                                  context, err));
    BASE_TRY(find_name(model->g->name, settings->name, name, err));
    BASE_TRY(export_code_check(model->g, settings->input, err));
    BASE_TRY(find_paths(settings, name, paths, err));
    BASE_TRY(export_code_make(model, &how, code, err));
    BASE_TRY(base_folder_make(settings->folder, err));
    return publish(code, paths, err);
}

admmnn_status admmnn_model_export_c(const admmnn_export_settings *settings,
                                    const admmnn_context *context, admmnn_export_sizes *sizes,
                                    admmnn_error *err) {
    pack_model *model;
    uint64_t file_bytes;
    bool described;
    BASE_TRY(model_file_read(settings->input, NULL, &model, NULL, &file_bytes, &described, err));
    export_code code = {0};
    const admmnn_status status = export_model(model, settings, context, &code, err);
    *sizes = code.sizes;
    export_code_free(&code);
    pack_model_free(model);
    return status;
}
