/* CIFAR-10 and CIFAR-100 in their binary format (Krizhevsky 2009). */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/formats.h"
#include "data/tarball.h"

#define PIXELS 3072U
#define SIDE 32U

typedef struct layout {
    const char *archive; /* its public name */
    size_t labels;       /* bytes before the pixels; the last is the one taken */
    uint32_t classes;
    const char *files[2][6]; /* by part, in order; NULL ends */
} layout;

static const layout cifar10 = {"cifar-10-binary.tar.gz",
                               1,
                               10,
                               {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                 "data_batch_4.bin", "data_batch_5.bin", NULL},
                                {"test_batch.bin", NULL}}};
static const layout cifar100 = {
    "cifar-100-binary.tar.gz", 2, 100, {{"train.bin", NULL}, {"test.bin", NULL}}};

#define FILES_MAX 5

/* The files of a part, whole, as they stand in the folder or the archive. */
typedef struct batches {
    const data_settings *settings;
    const layout *layout;
    const char *const *names;
    char path[BASE_PATH_MAX]; /* of the folder or the archive */
    uint8_t *bytes[FILES_MAX];
    size_t sizes[FILES_MAX];
} batches;

static void release(batches *b) {
    for (size_t f = 0; f < FILES_MAX; f++)
        base_free(b->bytes[f]);
}

static size_t all_bytes(const batches *b) {
    size_t all = 0;
    for (size_t f = 0; b->names[f] != NULL; f++)
        all += b->sizes[f];
    return all;
}

/* ---- from a folder ---- */

static admmnn_status read_folder(batches *b, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    for (size_t f = 0; b->names[f] != NULL; f++) {
        BASE_TRY(base_path_join(path, sizeof path, b->path, b->names[f], err));
        BASE_TRY(base_file_read(path, b->settings->memory, &b->bytes[f], &b->sizes[f], err));
        BASE_TRY(data_check_memory(b->settings, b->path, all_bytes(b), err));
    }
    return ADMMNN_OK;
}

/* ---- from an archive ---- */

static admmnn_status take_member(batches *b, tarball *archive, const tarball_member *member,
                                 admmnn_error *err) {
    const char *name = tarball_base_name(member);
    size_t f = 0;
    while (b->names[f] != NULL && strcmp(b->names[f], name) != 0)
        f++;
    if (b->names[f] == NULL)
        return ADMMNN_OK;
    if (b->bytes[f] != NULL)
        return base_fail(err, ADMMNN_CORRUPT, "%s: holds %s twice", b->path, name);
    if (member->size > b->settings->memory)
        return data_check_memory(b->settings, b->path, (size_t)member->size, err);
    b->sizes[f] = (size_t)member->size;
    BASE_TRY(data_check_memory(b->settings, b->path, all_bytes(b), err));
    b->bytes[f] = base_array(b->sizes[f], 1);
    if (b->bytes[f] == NULL)
        return base_fail_memory(err, b->path);
    return tarball_read(archive, member, b->bytes[f], err);
}

static admmnn_status read_members(batches *b, tarball *archive, admmnn_error *err) {
    tarball_member member;
    bool found;
    BASE_TRY(tarball_next(archive, &member, &found, err));
    while (found) {
        BASE_TRY(take_member(b, archive, &member, err));
        BASE_TRY(tarball_next(archive, &member, &found, err));
    }
    for (size_t f = 0; b->names[f] != NULL; f++)
        if (b->bytes[f] == NULL)
            return base_fail(err, ADMMNN_NOT_FOUND, "%s: holds no %s", b->path, b->names[f]);
    return ADMMNN_OK;
}

static admmnn_status read_archive(batches *b, admmnn_error *err) {
    tarball *archive;
    BASE_TRY(tarball_open(b->path, &archive, err));
    const admmnn_status status = read_members(b, archive, err);
    tarball_close(archive);
    return status;
}

/* The folder's own files, or those of the archive in it. */
static admmnn_status read_batches(batches *b, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    const char *given = b->settings->path;
    BASE_TRY(base_path_join(b->path, sizeof b->path, given, "", err));
    b->path[strlen(given)] = 0;
    if (!base_folder_exists(given)) {
        if (!tarball_named(given))
            return base_fail(err, base_file_exists(given) ? ADMMNN_INPUT : ADMMNN_NOT_FOUND,
                             "%s: no folder, nor an archive (.tar, .tar.gz, .tgz, .tar.zst)",
                             given);
        return read_archive(b, err);
    }
    BASE_TRY(base_path_join(path, sizeof path, given, b->names[0], err));
    if (base_file_exists(path))
        return read_folder(b, err);
    BASE_TRY(base_path_join(path, sizeof path, given, b->layout->archive, err));
    if (!base_file_exists(path))
        return base_fail(err, ADMMNN_NOT_FOUND, "%s: holds neither %s nor %s", given, b->names[0],
                         b->layout->archive);
    memcpy(b->path, path, sizeof path);
    return read_archive(b, err);
}

/* ---- records ---- */

static admmnn_status take_records(const batches *b, size_t f, data_set *set, admmnn_error *err) {
    const size_t record = b->layout->labels + PIXELS;
    for (size_t at = 0; at < b->sizes[f]; at += record, set->count++) {
        const uint8_t label = b->bytes[f][at + b->layout->labels - 1];
        if (label >= b->layout->classes)
            return base_fail(err, ADMMNN_CORRUPT,
                             "%s/%s: label %u at byte %zu; it must be below %u", b->path,
                             b->names[f], label, at, b->layout->classes);
        set->labels[set->count] = label;
        memcpy(set->pixels + set->count * PIXELS, b->bytes[f] + at + b->layout->labels, PIXELS);
    }
    return ADMMNN_OK;
}

static admmnn_status make_set(const batches *b, data_set *set, admmnn_error *err) {
    const size_t record = b->layout->labels + PIXELS;
    size_t count = 0;
    for (size_t f = 0; b->names[f] != NULL; f++) {
        if (b->sizes[f] == 0 || b->sizes[f] % record != 0)
            return base_fail(err, ADMMNN_CORRUPT,
                             "%s/%s: %zu bytes; a whole number of images of %zu is wanted", b->path,
                             b->names[f], b->sizes[f], record);
        count += b->sizes[f] / record;
    }
    set->shape = graph_shape_image(3, SIDE, SIDE);
    set->classes = b->layout->classes;
    set->pixels = base_array(count, PIXELS);
    set->labels = base_array(count, sizeof *set->labels);
    if (set->pixels == NULL || set->labels == NULL)
        return base_fail_memory(err, b->path);
    for (size_t f = 0; b->names[f] != NULL; f++)
        BASE_TRY(take_records(b, f, set, err));
    return ADMMNN_OK;
}

admmnn_status cifar_open(const data_settings *settings, data_part part, data_set *out,
                         admmnn_error *err) {
    const layout *l = settings->format == DATA_CIFAR10 ? &cifar10 : &cifar100;
    batches *b = base_array(1, sizeof *b);
    if (b == NULL)
        return base_fail_memory(err, settings->path);
    *b = (batches){.settings = settings, .layout = l, .names = l->files[part]};
    data_set set = {0};
    admmnn_status status = read_batches(b, err);
    if (status == ADMMNN_OK)
        status = make_set(b, &set, err);
    release(b);
    base_free(b);
    if (status != ADMMNN_OK) {
        data_set_free(&set);
        return status;
    }
    *out = set;
    return ADMMNN_OK;
}
