#include "data/manifest.h"

#include <string.h>

#include "base/hash.h"

/* The files of LeCun, Cortes and Burges, uncompressed. */
static const data_file mnist_files[] = {
    {"train-images-idx3-ubyte", 47040016,
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte", 60008,
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte", 7840016,
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte", 10008,
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
};

static const data_manifest mnist = {
    .dataset = "mnist",
    .files = mnist_files,
    .count = sizeof mnist_files / sizeof mnist_files[0],
};

admmnn_status data_manifest_find(const char *dataset, const data_manifest **manifest,
                                 admmnn_error *err) {
    if (dataset == NULL || strcmp(dataset, mnist.dataset) != 0)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "dataset '%.64s' is not known by name (mnist is); a folder of IDX files "
                         "needs no fetch: 'dataset: {format: idx, path: DIR}' in a recipe, --data "
                         "DIR for eval",
                         dataset == NULL ? "" : dataset);
    *manifest = &mnist;
    return ADMMNN_OK;
}

admmnn_status data_file_check(const data_file *file, const uint8_t *bytes, size_t count,
                              admmnn_error *err) {
    char digest[65];
    if (count != file->size)
        return base_fail(err, ADMMNN_CORRUPT, "%s: %zu bytes, the true file has %zu", file->name,
                         count, file->size);
    base_sha256(bytes, count, digest);
    if (strcmp(digest, file->sha256) != 0)
        return base_fail(err, ADMMNN_CORRUPT, "%s: its SHA-256 is %s, the true file's is %s",
                         file->name, digest, file->sha256);
    return ADMMNN_OK;
}
