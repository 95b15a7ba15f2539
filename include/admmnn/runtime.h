/* The runtime, libadmmnn-rt: runs packed models (.admm) on what they keep of their weights.
 * C99, libc and libm alone; a library of its own, which shares nothing with libadmmnn but the
 * definition of the file. It keeps no state of its own, takes no memory once a model is open,
 * and none at all where the caller gives it an arena.
 *
 *     admmnn_runtime *model;
 *     admmnn_runtime_info info;
 *     admmnn_runtime_open("model.admm", NULL, &model, NULL);
 *     admmnn_runtime_get_info(model, &info);
 *     void *workspace = malloc(info.workspace_bytes);
 *     admmnn_runtime_run(model, workspace, input, 1, output);
 *     admmnn_runtime_close(model); */
#ifndef ADMMNN_RUNTIME_H
#define ADMMNN_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum admmnn_runtime_status {
    ADMMNN_RUNTIME_OK,
    ADMMNN_RUNTIME_USAGE,
    ADMMNN_RUNTIME_NOT_FOUND,
    ADMMNN_RUNTIME_IO,
    ADMMNN_RUNTIME_CORRUPT,
    ADMMNN_RUNTIME_UNSUPPORTED,
    ADMMNN_RUNTIME_MEMORY,
    ADMMNN_RUNTIME_ARENA
} admmnn_runtime_status;

/* The particular failure. The caller owns it; NULL means that the caller does not want to
 * know. */
typedef struct admmnn_runtime_error {
    admmnn_runtime_status status;
    const char *reason; /* what is wrong, in static storage */
    size_t at;          /* the byte of the file at which it was noticed; 0 where none was read */
} admmnn_runtime_error;

/* The text of a status; static storage. */
const char *admmnn_runtime_status_text(admmnn_runtime_status status);

/* How a layer's weights are kept and run: as lists of those that are not 0, which neighbouring rows
 * may share, or dense, a byte each where they are quantized. FASTEST: layer by layer what is
 * expected to take less time; DENSE: all layers that can be. */
typedef enum admmnn_runtime_weights {
    ADMMNN_RUNTIME_FASTEST,
    ADMMNN_RUNTIME_LISTS,
    ADMMNN_RUNTIME_DENSE
} admmnn_runtime_weights;

/* What computes: the fastest that the processor has (AVX-512, AVX2 and FMA, NEON); portable C,
 * whatever it has; or at most AVX2 and FMA, which on other processors than x86-64 is the fastest.
 * Their results differ in the last bits. */
typedef enum admmnn_runtime_kernels {
    ADMMNN_RUNTIME_KERNELS_FASTEST,
    ADMMNN_RUNTIME_KERNELS_PORTABLE,
    ADMMNN_RUNTIME_KERNELS_AVX2
} admmnn_runtime_kernels;

typedef struct admmnn_runtime_settings {
    /* Memory of the caller for all that the model needs, at any alignment; it must outlive the
     * model. NULL: from malloc. */
    void *arena;
    size_t arena_bytes;
    admmnn_runtime_kernels kernels;
    admmnn_runtime_weights weights;
    /* Threads that run a sample together, the caller's among them: more than 1024 are 1024, 0 is 1,
     * as is any number where the library is built without threads. They are the model's, from
     * opening to closing. Any number gives the same bytes, by the caller's floating-point
     * environment
     * (<fenv.h>). A caller who finds them busy with another's sample runs his own alone. So does a
     * fork, which has none of them: it may run the model, even if it was made while the model ran,
     * and close it, which leaves the model of the other process as it is. */
    unsigned threads;
    /* Bits of the numbers between layers: 0 or 32, floats; or 8, of a file that has ranges for
     * them. These take a quarter of what they take as floats; what layers work with does not, and a
     * small network may need a larger workspace in all (info.workspace_bytes). The sample, the
     * result, what has no range, and what is read or made by an operation that has no form in 8
     * bits are floats. Numbers beyond their range become its ends, and a NaN its least. */
    unsigned activations;
} admmnn_runtime_settings;

/* A model once opened does not change: any number of threads may run it at once, each with a
 * workspace of its own, and get the same bytes as one. */
typedef struct admmnn_runtime admmnn_runtime;

/* Opens a packed model, a file's or the bytes[count] of one, which are not needed after; a file is
 * read twice, piece by piece, and nobody may write to it meanwhile. All of
 * it is checked first: the checksum, every size, every rule of the format. settings may be NULL.
 * *model is the caller's, freed with admmnn_runtime_close.
 * CORRUPT: no packed model, or a damaged one; UNSUPPORTED: a later version of the format, a
 * network whose values do not fit the machine's size_t, a layer that would work on more than 2^31
 * numbers at a time, or 8 bits asked for of a file without ranges; MEMORY; ARENA; NOT_FOUND and IO
 * of a file; USAGE: bytes, path or model is NULL, or a setting is none of its values. */
admmnn_runtime_status admmnn_runtime_open(const char *path, const admmnn_runtime_settings *settings,
                                          admmnn_runtime **model, admmnn_runtime_error *err);
admmnn_runtime_status admmnn_runtime_open_memory(const void *bytes, size_t count,
                                                 const admmnn_runtime_settings *settings,
                                                 admmnn_runtime **model, admmnn_runtime_error *err);
/* Frees what malloc gave; an arena is the caller's again. NULL is nothing. */
void admmnn_runtime_close(admmnn_runtime *model);

/* What admmnn_runtime_open needs of an arena beside what admmnn_runtime_open_memory does. */
#define ADMMNN_RUNTIME_FILE_BYTES 4096

/* How many bytes of an arena admmnn_runtime_open_memory needs for that file, while it reads it
 * and after; admmnn_runtime_open needs ADMMNN_RUNTIME_FILE_BYTES more. It depends on the
 * file, on settings->kernels, ->weights, ->threads and ->activations, on what types of the machine
 * take, and on the kernels that are found: where settings->kernels is not PORTABLE, on the
 * processor. Reads the model with memory from malloc, starts no thread, and has the same errors but
 * that of a thread which cannot be started; USAGE: arena_bytes is NULL, too. */
admmnn_runtime_status admmnn_runtime_measure(const void *bytes, size_t count,
                                             const admmnn_runtime_settings *settings,
                                             size_t *arena_bytes, admmnn_runtime_error *err);

typedef struct admmnn_runtime_info {
    char name[32];                    /* the network's */
    uint32_t input_rank, output_rank; /* axes of one sample */
    uint32_t input[7], output[7];     /* sizes of the axes; the last one is the nearest in memory */
    size_t inputs, outputs;           /* floats of one sample */
    float mean[3], scale[3]; /* the network wants (pixel / 255 - mean) * scale, of each of three
                                channels; of other inputs the first for all */
    uint64_t weights, kept;  /* places of weights in the layers, and those that have one not 0 */
    size_t model_bytes;      /* memory that the open model holds; of an arena its first bytes, with
                                those before the first that is aligned */
    size_t workspace_bytes;  /* of a workspace */
    const char *kernels;     /* "avx512", "avx2", "neon" or "portable"; static storage */
    unsigned threads;        /* that run a sample */
    uint32_t values, codes;  /* between layers, the input and the output among them, and those of
                                them that are in 8 bits */
} admmnn_runtime_info;
/* Fills *info; cannot fail. */
void admmnn_runtime_get_info(const admmnn_runtime *model, admmnn_runtime_info *info);

/* Runs the network on each of input[count][inputs], which it takes as they are, into
 * output[count][outputs], which do not overlap; count may be 0. workspace: info.workspace_bytes of
 * the caller's at any alignment, whose content is of no meaning before and after. Takes no memory.
 * What a pruned weight would be multiplied by is not looked at, be it finite or not, where a layer
 * is a list of each row; a dense one multiplies it by 0, and so do rows that share places
 * (ADMMNN_RUNTIME_LISTS chooses them too) where another one of them has a weight there. Outputs
 * differ from exact arithmetic by what sums of 32 bits do: at most 1e-5 of the largest output for
 * the networks of the tests. A thread that is cancelled meanwhile (pthread_cancel, deferred) is so
 * once it is back. USAGE: a pointer is NULL.
 */
admmnn_runtime_status admmnn_runtime_run(const admmnn_runtime *model, void *workspace,
                                         const float *input, size_t count, float *output);

#ifdef __cplusplus
}
#endif
#endif
