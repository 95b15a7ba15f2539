/* What libFuzzer does with -runs=0, without libFuzzer: a target is given every file of the
 * folders named, once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return -1;
    const long size = ftell(file);
    /* Of just its size, so that a read beyond is seen. */
    uint8_t *data = size < 0 ? NULL : malloc((size_t)size);
    rewind(file);
    const int read = data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size;
    fclose(file);
    if (read)
        LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return read ? 0 : -1;
}

/* How many files there are; -1: one could not be read. */
static int replay_folder(const char *folder) {
    char path[PATH_BYTES];
    int count = 0;
    DIR *listed = opendir(folder);
    if (listed == NULL)
        return -1;
    for (struct dirent *e = readdir(listed); e != NULL; e = readdir(listed)) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (replay_file(path) != 0) {
            fprintf(stderr, "%s: cannot be read\n", path);
            count = -1;
            break;
        }
        count++;
    }
    closedir(listed);
    return count;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const int count = replay_folder(argv[i]);
        printf("%s: %d inputs\n", argv[i], count);
        if (count < 1)
            return EXIT_FAILURE;
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
