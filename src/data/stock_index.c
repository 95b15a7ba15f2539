/* Which images there are: the walk through a folder or an archive, and their order. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/context.h"
#include "base/memory.h"
#include "data/stock.h"
#include "data/tarball.h"

#define CLASSES_MAX 65536U

/* The names of folders; the test part may have either of two. */
static const char *const parts[] = {"train", "test", "val"};
enum { PART_TRAIN, PART_TEST, PART_VAL, PARTS };

static bool is_image(const char *file) {
    static const char *const ends[] = {".jpg", ".jpeg", ".png"};
    const char *dot = strrchr(file, '.');
    for (size_t i = 0; dot != NULL && i < sizeof ends / sizeof ends[0]; i++)
        if (strcasecmp(dot, ends[i]) == 0)
            return file[0] != '.';
    return false;
}

static admmnn_status add(data_stock *stock, stock_entry entry, const char *class, const char *file,
                         admmnn_error *err) {
    stock_entry *entries =
        base_array_grow(stock->entries, stock->count, &stock->capacity, sizeof *entries);
    if (entries == NULL)
        return base_fail_memory(err, stock->path);
    stock->entries = entries;
    entry.name = stock->names.count;
    base_write_bytes(&stock->names, class, strlen(class) + 1);
    base_write_bytes(&stock->names, file, strlen(file) + 1);
    stock->entries[stock->count++] = entry;
    return stock->names.failed ? base_fail_memory(err, stock->path) : ADMMNN_OK;
}

/* ---- folders ---- */

static admmnn_status walk_class(data_stock *stock, uint8_t part, const char *folder,
                                const char *class, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, folder, class, err));
    DIR *files = base_folder_exists(path) ? opendir(path) : NULL;
    if (files == NULL)
        return ADMMNN_OK;
    admmnn_status status = ADMMNN_OK;
    struct dirent *file;
    while (status == ADMMNN_OK && (file = readdir(files)) != NULL)
        if (is_image(file->d_name))
            status = add(stock, (stock_entry){.part = part}, class, file->d_name, err);
    closedir(files);
    return status;
}

static admmnn_status walk_part(data_stock *stock, uint8_t part, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, stock->path, parts[part], err));
    DIR *classes = opendir(path);
    if (classes == NULL && errno == ENOENT)
        return ADMMNN_OK;
    if (classes == NULL)
        return base_fail(err, ADMMNN_INPUT, "%s: cannot read: %s", path, strerror(errno));
    admmnn_status status = ADMMNN_OK;
    struct dirent *class;
    while (status == ADMMNN_OK && (class = readdir(classes)) != NULL)
        if (class->d_name[0] != '.')
            status = walk_class(stock, part, path, class->d_name, err);
    closedir(classes);
    return status;
}

/* ---- archives ---- */

/* Splits "[ABOVE/]PART/CLASS/FILE" in place; false where it is not such a name. */
static bool split_name(char *name, uint8_t *part, char **class, char **file) {
    char *slash = strrchr(name, '/');
    if (slash == NULL || !is_image(slash + 1))
        return false;
    *slash = 0;
    *file = slash + 1;
    slash = strrchr(name, '/');
    if (slash == NULL || slash[1] == 0)
        return false;
    *slash = 0;
    *class = slash + 1;
    slash = strrchr(name, '/');
    char *last = slash == NULL ? name : slash + 1;
    for (*part = 0; *part < PARTS; (*part)++)
        if (strcmp(last, parts[*part]) == 0) {
            *last = 0; /* name: what is above */
            return true;
        }
    return false;
}

typedef struct walk {
    data_stock *stock;
    tarball *archive;
    size_t memory;
    char above[BASE_PATH_MAX]; /* of the first image */
} walk;

/* The bytes of what is compressed are kept: there is no way back to them. Not those of what
 * is too large for an image, which is told when that is wanted. */
static admmnn_status keep_bytes(walk *w, const tarball_member *member, stock_entry *entry,
                                admmnn_error *err) {
    data_stock *stock = w->stock;
    if (member->size > STOCK_FILE_MAX)
        return ADMMNN_OK;
    if (member->size > w->memory - stock->packed.count)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: its files take more than the %zu MiB of dataset.memory; unpack the "
                         "archive to a plain .tar or a folder, which are read in place",
                         stock->path, w->memory >> 20);
    uint8_t *bytes = base_array((size_t)member->size, 1);
    if (bytes == NULL)
        return base_fail_memory(err, stock->path);
    const admmnn_status status = tarball_read(w->archive, member, bytes, err);
    entry->offset = stock->packed.count;
    if (status == ADMMNN_OK)
        base_write_bytes(&stock->packed, bytes, (size_t)member->size);
    base_free(bytes);
    BASE_TRY(status);
    return stock->packed.failed ? base_fail_memory(err, stock->path) : ADMMNN_OK;
}

static admmnn_status take_member(walk *w, const tarball_member *member, admmnn_error *err) {
    char name[BASE_PATH_MAX];
    char *class;
    char *file;
    stock_entry entry = {.offset = member->offset, .size = member->size};
    const size_t length = strlen(member->name);
    if (length >= sizeof name)
        return ADMMNN_OK;
    memcpy(name, member->name, length + 1);
    if (!split_name(name, &entry.part, &class, &file))
        return ADMMNN_OK;
    if (w->stock->count == 0)
        memcpy(w->above, name, strlen(name) + 1);
    if (strcmp(w->above, name) != 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: %s and %s%s stand in folders of two datasets; one is wanted",
                         w->stock->path, member->name, w->above, parts[w->stock->entries[0].part]);
    if (w->stock->place == STOCK_MEMORY)
        BASE_TRY(keep_bytes(w, member, &entry, err));
    return add(w->stock, entry, class, file, err);
}

static admmnn_status walk_archive(walk *w, admmnn_error *err) {
    tarball_member member;
    bool found;
    BASE_TRY(tarball_next(w->archive, &member, &found, err));
    w->stock->place = tarball_is_compressed(w->archive) ? STOCK_MEMORY : STOCK_ARCHIVE;
    while (found) {
        if (base_cancelled(w->stock->context))
            return base_fail(err, ADMMNN_CANCELLED, "stopped on request while %s was read",
                             w->stock->path);
        BASE_TRY(take_member(w, &member, err));
        BASE_TRY(tarball_next(w->archive, &member, &found, err));
    }
    return ADMMNN_OK;
}

static admmnn_status index_archive(data_stock *stock, size_t memory, admmnn_error *err) {
    walk *w = base_array(1, sizeof *w);
    if (w == NULL)
        return base_fail_memory(err, stock->path);
    w->stock = stock;
    w->memory = memory;
    admmnn_status status = tarball_open(stock->path, &w->archive, err);
    if (status == ADMMNN_OK)
        status = walk_archive(w, err);
    tarball_close(w->archive);
    base_free(w);
    BASE_TRY(status);
    if (stock->place == STOCK_MEMORY)
        return ADMMNN_OK;
    size_t size;
    return base_file_open(stock->path, &stock->descriptor, &size, err);
}

/* ---- order ---- */

static int compare(const void *left, const void *right) {
    const stock_entry *a = left;
    const stock_entry *b = right;
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    const int by_class = strcmp(a->class, b->class);
    if (by_class != 0)
        return by_class;
    const int by_file = strcmp(a->file, b->file);
    if (by_file != 0)
        return by_file;
    return (a->name > b->name) - (a->name < b->name);
}

static void sort(data_stock *stock) {
    if (stock->count == 0) // qsort takes no null pointer
        return;
    const char *names = (const char *)stock->names.bytes;
    for (size_t i = 0; i < stock->count; i++) {
        stock->entries[i].class = names + stock->entries[i].name;
        stock->entries[i].file = stock->entries[i].class + strlen(stock->entries[i].class) + 1;
    }
    qsort(stock->entries, stock->count, sizeof *stock->entries, compare);
}

/* Entries of a part: those of each stand together. */
static size_t count_part(const data_stock *stock, uint8_t part, size_t *first) {
    size_t count = 0;
    for (size_t i = 0; i < stock->count; i++) {
        if (stock->entries[i].part != part)
            continue;
        *first = count == 0 ? i : *first;
        count++;
    }
    return count;
}

/* Numbers the classes of entries in a row, and the wanted ones by the same names. */
static admmnn_status label(data_stock *stock, size_t basis, size_t basis_count, size_t wanted,
                           size_t wanted_count, admmnn_error *err) {
    const stock_entry *from = stock->entries + basis;
    size_t at = 0;
    uint32_t number = 0;
    for (size_t i = 0; i < wanted_count; i++) {
        stock_entry *entry = &stock->entries[wanted + i];
        while (at < basis_count && strcmp(from[at].class, entry->class) < 0) {
            const bool last = at + 1 == basis_count;
            number += last || strcmp(from[at].class, from[at + 1].class) != 0;
            at++;
        }
        if (at == basis_count || strcmp(from[at].class, entry->class) != 0)
            return base_fail(err, ADMMNN_INPUT, "%s: class %s of %s/ has no training images",
                             stock->path, entry->class, parts[entry->part]);
        entry->label = (uint16_t)number;
    }
    return ADMMNN_OK;
}

static admmnn_status count_classes(data_stock *stock, size_t basis, size_t count,
                                   admmnn_error *err) {
    const stock_entry *entries = stock->entries + basis;
    stock->classes = 1;
    for (size_t i = 1; i < count; i++)
        stock->classes += strcmp(entries[i].class, entries[i - 1].class) != 0;
    if (stock->classes > CLASSES_MAX)
        return base_fail(err, ADMMNN_UNSUPPORTED, "%s: %u classes; at most %u", stock->path,
                         stock->classes, CLASSES_MAX);
    stock->classes = stock->classes < 2 ? 2 : stock->classes;
    return ADMMNN_OK;
}

/* Of files of one name, which an archive may hold, the last counts. */
static void keep(data_stock *stock, size_t first, size_t count) {
    stock_entry *all = stock->entries;
    size_t kept = 0;
    for (size_t i = first; i < first + count; i++) {
        const bool again = i + 1 < first + count && strcmp(all[i].class, all[i + 1].class) == 0 &&
                           strcmp(all[i].file, all[i + 1].file) == 0;
        if (!again)
            all[kept++] = all[i];
    }
    stock->count = kept;
}

static admmnn_status fail_absent(const data_stock *stock, data_part part, admmnn_error *err) {
    return base_fail(err, ADMMNN_NOT_FOUND, "%s: no images at %s/CLASS/FILE (.jpg, .jpeg, .png)",
                     stock->path, part == DATA_TRAIN ? "train" : "test/CLASS/FILE or val");
}

/* The wanted part alone remains. The classes are the training part's, where there is one. */
static admmnn_status choose(data_stock *stock, data_part part, bool with_test, admmnn_error *err) {
    size_t first[PARTS] = {0};
    size_t count[PARTS];
    for (unsigned p = 0; p < PARTS; p++)
        count[p] = count_part(stock, (uint8_t)p, &first[p]);
    const uint8_t test = count[PART_TEST] > 0 ? PART_TEST : PART_VAL;
    const uint8_t wanted = part == DATA_TRAIN ? PART_TRAIN : test;
    const uint8_t basis = count[PART_TRAIN] > 0 ? PART_TRAIN : wanted;
    stock->part = parts[wanted];
    if (count[wanted] == 0)
        return fail_absent(stock, part, err);
    if (with_test && count[test] == 0)
        return fail_absent(stock, DATA_TEST, err);
    BASE_TRY(count_classes(stock, first[basis], count[basis], err));
    if (with_test)
        BASE_TRY(label(stock, first[basis], count[basis], first[test], count[test], err));
    BASE_TRY(label(stock, first[basis], count[basis], first[wanted], count[wanted], err));
    keep(stock, first[wanted], count[wanted]);
    return ADMMNN_OK;
}

admmnn_status stock_index(data_stock *stock, const data_settings *settings, data_part part,
                          admmnn_error *err) {
    if (base_folder_exists(stock->path)) {
        for (unsigned p = 0; p < PARTS; p++)
            BASE_TRY(walk_part(stock, (uint8_t)p, err));
    } else if (tarball_named(stock->path)) {
        BASE_TRY(index_archive(stock, settings->memory, err));
    } else {
        return base_fail(err, base_file_exists(stock->path) ? ADMMNN_INPUT : ADMMNN_NOT_FOUND,
                         "%s: no folder, nor an archive (.tar, .tar.gz, .tgz, .tar.zst)",
                         stock->path);
    }
    sort(stock);
    return choose(stock, part, settings->with_test, err);
}
