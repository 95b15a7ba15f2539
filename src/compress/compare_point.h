/* One run of a comparison: a method, a ratio and a seed, in a folder of its own. */
#ifndef COMPRESS_COMPARE_POINT_H
#define COMPRESS_COMPARE_POINT_H

#include "base/context.h"
#include "compress/compare_plan.h"
#include "compress/run.h"

typedef struct compare_point {
    compare_method method;
    double ratio; /* START and DENSE: the largest of the plan */
    uint64_t seed;
} compare_point;

/* Accuracies are fractions. */
typedef struct compare_score {
    double validation, test;
    uint64_t weights, kept;
    compare_targets targets;
} compare_score;

/* What a point needs from its comparison. */
typedef struct compare_place {
    const compare_plan *plan;
    const char *folder; /* of all runs */
    const admmnn_context *context;
    run_answers *answers;  /* of the seed's dense network, handed from point to point */
    char data_sha256[65];  /* of the training images */
    char model_sha256[65]; /* of a model file's network; empty: of the zoo */
} compare_place;

/* Whether a point has left a checkpoint or its score in the folder of all runs. */
bool compare_point_any(const char *folder);

/* The score a finished point left in its folder. ADMMNN_NOT_FOUND: not finished;
 * ADMMNN_INPUT: of another recipe, other training images, another model file or number of
 * threads. */
admmnn_status compare_point_read(const compare_place *place, const compare_point *point,
                                 compare_score *score, admmnn_error *err);

/* Removes the checkpoint that a finished point needs no more; others go on from the start's. */
void compare_point_tidy(const compare_place *place, const compare_point *point);

/* What a run would find wrong with the data or the highest ratio before its first
 * epoch: asked while nothing is written yet. */
admmnn_status compare_point_check(const compare_place *place, admmnn_error *err);

/* Runs the point, going on from its checkpoint if there is one, else from the
 * dense start of its seed; evaluates the test set once, at the end; leaves
 * log.jsonl and then point.json. targets: of the ADMM run with the same seed and
 * ratio, for the methods per layer. Takes the answers that place has and leaves its own there. */
admmnn_status compare_point_run(const compare_place *place, const compare_point *point,
                                const compare_targets *targets, compare_score *score,
                                admmnn_error *err);

#endif
