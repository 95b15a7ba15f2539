/* Limits of control groups, Linux's way to give a container less than the machine has. */
#define _XOPEN_SOURCE 700 /* strtok_r */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define GROUPS_BYTES_MOST ((size_t)1 << 16)
#define LIMIT_BYTES_MOST 64

/* UINT64_MAX: no such file, or no number in it ("max"). */
static uint64_t read_limit(const char *path) {
    uint64_t limit = UINT64_MAX;
    uint8_t *text;
    size_t count;
    if (base_file_read(path, LIMIT_BYTES_MOST, &text, &count, NULL) != ADMMNN_OK)
        return limit;
    if (text[0] >= '0' && text[0] <= '9')
        limit = strtoull((const char *)text, NULL, 10);
    base_free(text);
    return limit;
}

/* Of the group and of all above it. In a container the files of its own group may lie at the top,
 * whatever the group is called outside. */
static uint64_t least_limit(const char *folder, const char *group, const char *file) {
    char path[BASE_PATH_MAX];
    uint64_t least = UINT64_MAX;
    for (size_t end = strlen(group) + 1; end-- > 0;) {
        if (group[end] != '/' && group[end] != 0)
            continue;
        const int used = snprintf(path, sizeof path, "%s%.*s/%s", folder, (int)end, group, file);
        const uint64_t limit = used > 0 && used < BASE_PATH_MAX ? read_limit(path) : UINT64_MAX;
        least = limit < least ? limit : least;
    }
    return least;
}

static bool has_word(const char *list, const char *word) {
    const size_t length = strlen(word);
    for (; *list != 0; list += strspn(list, ",")) {
        const size_t here = strcspn(list, ",");
        if (here == length && strncmp(list, word, length) == 0)
            return true;
        list += here;
    }
    return false;
}

/* "NUMBER:CONTROLLERS:GROUP"; of version 2 there are no controllers. */
static uint64_t limit_of_line(const char *root, char *line) {
    char folder[BASE_PATH_MAX];
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL)
        return UINT64_MAX;
    *group++ = 0;
    controllers++;
    const bool second = controllers[0] == 0;
    if (!second && !has_word(controllers, "memory"))
        return UINT64_MAX;
    if (base_path_join(folder, sizeof folder, root,
                       second ? "sys/fs/cgroup" : "sys/fs/cgroup/memory", NULL) != ADMMNN_OK)
        return UINT64_MAX;
    return least_limit(folder, group, second ? "memory.max" : "memory.limit_in_bytes");
}

uint64_t base_memory_group_limit(const char *root) {
    char path[BASE_PATH_MAX];
    uint64_t least = UINT64_MAX;
    uint8_t *text;
    size_t count;
    if (base_path_join(path, sizeof path, root, "proc/self/cgroup", NULL) != ADMMNN_OK ||
        base_file_read(path, GROUPS_BYTES_MOST, &text, &count, NULL) != ADMMNN_OK)
        return least;
    char *rest = NULL;
    for (char *line = strtok_r((char *)text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const uint64_t limit = limit_of_line(root, line);
        least = limit < least ? limit : least;
    }
    base_free(text);
    return least;
}
