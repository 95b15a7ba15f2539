/* Compression runs and comparisons, from a recipe to a folder of results. */
#ifndef ADMMNN_COMPRESS_H
#define ADMMNN_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "admmnn/context.h"
#include "admmnn/error.h"
#include "admmnn/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The largest whole number that every JSON reader holds exactly. */
#define ADMMNN_SEED_MAX UINT64_C(9007199254740991)

typedef struct admmnn_compress_settings {
    const char *recipe; /* path of the YAML file */
    const char *out;    /* folder of the results; made when absent */
    bool resume;        /* go on from out/checkpoint, or do nothing when the run is finished
                           and all its files are there */
    bool has_seed;      /* seed replaces the recipe's */
    uint64_t seed;
} admmnn_compress_settings;

/* Trains, prunes, quantizes, packs and evaluates (Ren et al. 2018, figure 2), and
 * leaves in out: model.onnx, small.onnx, model.admm, result.json, report.html, log.jsonl and
 * checkpoint/. Without resume a folder that holds a run is ADMMNN_USAGE, and always
 * one where another process runs or where a file of such a name is not a run's:
 * nothing is overwritten. ADMMNN_USAGE also: a folder that holds a comparison, a finished
 * run with a file gone and no checkpoint, a seed above ADMMNN_SEED_MAX, too many threads;
 * ADMMNN_INPUT: a recipe that is not in order, with its line, or that does not
 * fit the dataset or the network, what the folder resumed was made from (recipe, model file,
 * images, seed, threads) is not what is given, a path too long, a file too large or no regular
 * file, no cache folder for MNIST; ADMMNN_NOT_FOUND: the recipe, its model file or a file of the
 * dataset; ADMMNN_CORRUPT: a damaged model file or file of the dataset, or with resume of the
 * folder; ADMMNN_UNSUPPORTED: a network that a run cannot hold, or an ONNX file that is not read;
 * ADMMNN_IO: a file cannot be read or written; ADMMNN_MEMORY; ADMMNN_BACKEND: a library that it
 * stands on failed; ADMMNN_CANCELLED after a clean stop with a checkpoint; ADMMNN_DIVERGED names
 * the stage, ADMM iteration, epoch and step. */
admmnn_status admmnn_compress_run(const admmnn_compress_settings *settings,
                                  const admmnn_context *context, admmnn_error *err);

/* The table of a finished run's folder, and its result.json as it stands there. *text
 * is the caller's, freed with admmnn_text_free. ADMMNN_NOT_FOUND: no run has finished
 * there, and the message says when one has begun; ADMMNN_CORRUPT: its result.json is not a result
 * of admmnn; ADMMNN_INPUT: it is a folder or too large, or the path is too long; ADMMNN_IO;
 * ADMMNN_MEMORY. */
admmnn_status admmnn_result_table(const char *out, char **text, admmnn_error *err);
admmnn_status admmnn_result_json(const char *out, char **text, admmnn_error *err);

typedef struct admmnn_compare_settings {
    const char *recipe;  /* path of the YAML file */
    const char *out;     /* folder of the comparison; made when absent */
    bool resume;         /* go on with the comparison in out, or add to it */
    uint32_t seeds;      /* runs a point, 1 to 1000 */
    uint64_t first_seed; /* the others follow it, up to ADMMNN_SEED_MAX */
    const char *methods; /* comma list of dense, admm, gradual, gradual-per-layer, one-shot,
                            one-shot-per-layer, random; NULL: all */
    const char *ratios;  /* comma list; NULL: the recipe's rounds */
} admmnn_compare_settings;

/* Runs the recipe's pruning and its controls with the same data, dense start and
 * number of epochs, over seeds and ratios, without quantization: the dense network
 * trained on as long, gradual (Zhu and Gupta 2017) and one-shot magnitude pruning
 * with one rank over all layers or ADMM's shares of the layers (per-layer), and
 * random choice at those shares. The test set is evaluated once a run, at its end.
 * Leaves comparison.json, comparison.svg and one folder a run in
 * out/comparison-runs. With
 * resume, finished runs are taken as they are and methods, ratios and seeds may be
 * added. What stands in out is treated as by admmnn_compress_run, and the statuses are
 * those of that call; ADMMNN_USAGE also: seeds out of bounds, methods or ratios that are
 * unknown, twice, out of order, not of this recipe or too many, and with resume when one
 * that comparison.json holds is left out; ADMMNN_INPUT also: no ratios, neither given nor
 * the recipe's. */
admmnn_status admmnn_compare_run(const admmnn_compare_settings *settings,
                                 const admmnn_context *context, admmnn_error *err);

/* The comparison.json of a finished comparison's folder as it stands there, as
 * admmnn_result_json. */
admmnn_status admmnn_comparison_json(const char *out, char **text, admmnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
