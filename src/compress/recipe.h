/* A recipe: everything a compression run depends on, read from YAML. */
#ifndef COMPRESS_RECIPE_H
#define COMPRESS_RECIPE_H

#include "admm/admm.h"
#include "data/data.h"
#include "engine/engine.h"
#include "pack/pack.h"
#include "train/optimizer.h"
#include "train/schedule.h"

#define RECIPE_LAYERS_MAX 512
/* Of a layer, as a recipe gives it: ONNX files have long ones. */
#define RECIPE_NAME_MAX 256
#define RECIPE_ROUNDS_MAX 32
/* Of a weight: codes that Huffman's tables hold, and that the search can afford. */
#define RECIPE_BITS_MAX 8
/* Distorted, of an image. */
#define RECIPE_VERSIONS_MAX 64

/* One stretch of training. */
typedef struct recipe_training {
    uint32_t epochs;
    uint32_t batch;
    engine_loss_id loss;
    train_optimizer_kind optimizer;
    double learning_rate; /* the schedule's peak */
    double momentum;      /* SGD */
    double weight_decay;
    train_schedule_kind schedule;
    double average;        /* share of the epochs, the last ones, whose weights are averaged */
    uint32_t average_line; /* in the recipe */
    double label_smoothing;
    double distill;     /* weight of the teacher's answers in the targets, 0..1 */
    double temperature; /* their softening */
    uint32_t versions;  /* distorted versions of each image that are answered; 0: the undistorted */
    data_augmentation augment;
} recipe_training;

typedef struct recipe_admm {
    uint32_t iterations;
    uint32_t epochs;  /* of an iteration's x steps */
    uint32_t updates; /* z and u steps of an iteration */
    admm_schedule rho;
    double tolerance;         /* relative residuals to stop early at; 0: never */
    recipe_training training; /* epochs unused */
} recipe_admm;

typedef enum recipe_prune_method {
    RECIPE_PRUNE_NONE,
    RECIPE_PRUNE_ADMM,
    RECIPE_PRUNE_ONE_SHOT,
    RECIPE_PRUNE_GRADUAL,
    RECIPE_PRUNE_RANDOM
} recipe_prune_method;

typedef enum recipe_prune_set {
    RECIPE_SET_SPARSE,
    RECIPE_SET_FILTERS,
    RECIPE_SET_CHANNELS,
    RECIPE_SET_COLUMNS,
    RECIPE_SET_BLOCKS,
    RECIPE_SET_N_OF_M
} recipe_prune_set;

/* How a layer's share is found when it is not given. */
typedef enum recipe_scope {
    RECIPE_SCOPE_GLOBAL,   /* one rank over all layers */
    RECIPE_SCOPE_PER_LAYER /* the ratios of `keep` */
} recipe_scope;

/* What the ADMM penalty draws to Z - U. */
typedef enum recipe_penalty {
    RECIPE_PENALTY_ALL,    /* every weight, as published */
    RECIPE_PENALTY_PRUNED, /* those that Z lacks */
} recipe_penalty;

/* What an x step of pruning's ADMM minimises. */
typedef enum recipe_x_step {
    RECIPE_X_TRAINING, /* the loss, by epochs of training, as published */
    RECIPE_X_CURVATURE /* a second-order model of it, exactly (train/curvature.h) */
} recipe_x_step;

typedef struct recipe_layer_keep {
    char layer[RECIPE_NAME_MAX];
    double keep;   /* fraction of the layer's weights */
    uint32_t line; /* in the recipe */
} recipe_layer_keep;

typedef struct recipe_layer_bits {
    char layer[RECIPE_NAME_MAX];
    unsigned bits;
    uint32_t line; /* in the recipe */
} recipe_layer_bits;

typedef struct recipe_prune {
    recipe_prune_method method;
    recipe_prune_set set;
    recipe_scope scope;
    uint32_t block_rows, block_columns, n, m;
    double rounds[RECIPE_ROUNDS_MAX]; /* total ratios, rising; the last is the target */
    size_t round_count;
    recipe_layer_keep keep[RECIPE_LAYERS_MAX]; /* or the final share of each layer */
    size_t keep_count;
    double bit_cost[RECIPE_LAYERS_MAX]; /* bits a kept weight of layer i costs in the file,
                                           for the global rank; 0 entries: 1 each */
    size_t bit_cost_count;
    uint32_t rounds_line, bit_cost_line; /* in the recipe */
    double ramp;                         /* share of a round's iterations in which the kept become
                                            as few as the round asks; 0: at once */
    recipe_penalty penalty;
    recipe_x_step x_step;
    double curvature_share; /* of the training images, that an iteration measures it on */
    recipe_admm admm;
    recipe_training retrain; /* after each round but the last */
    recipe_training finish;  /* after the last round */
} recipe_prune;

/* Whose answers distillation learns from. */
typedef enum recipe_teacher {
    RECIPE_TEACHER_DENSE,
    RECIPE_TEACHER_PRUNED /* after the last retraining */
} recipe_teacher;

typedef enum recipe_quantize_method {
    RECIPE_QUANTIZE_ADMM,
    /* Its controls, in as many epochs: */
    RECIPE_QUANTIZE_PROJECTED,       /* weights onto their levels after every step */
    RECIPE_QUANTIZE_STRAIGHT_THROUGH /* the levels' gradient for the weights behind them */
} recipe_quantize_method;

typedef struct recipe_quantize {
    bool enabled;
    recipe_quantize_method method;
    admm_levels levels;
    recipe_teacher teacher;
    recipe_layer_bits bits[RECIPE_LAYERS_MAX];
    size_t bits_count;  /* 0: searched, where the levels leave a choice */
    unsigned max_bits;  /* of the search, and of layers that `bits` leaves out */
    double max_loss;    /* validation accuracy the search may give up (fraction) */
    unsigned bias_bits; /* 0: biases stay float32 */
    recipe_admm admm;
    admm_variant_kind variant;
    double beta, probability;      /* of admm-s, of admm-r */
    double fix[RECIPE_ROUNDS_MAX]; /* rising shares of the weights fixed at their levels */
    size_t fix_count;              /* while the others are retrained */
    recipe_training retrain;
} recipe_quantize;

typedef struct recipe {
    char path[1024];
    char model[1024];      /* a network of the zoo, or a file, as the text has it */
    char model_path[1024]; /* of the file; empty: of the zoo */
    data_format dataset_format;
    char dataset_path[1024]; /* empty: the fetched one */
    uint64_t validation;     /* samples split from training */
    /* Of a folder of images: data_settings. */
    uint32_t image_size, image_resize;
    bool grey;
    uint64_t memory; /* MiB */
    uint64_t max_damaged;
    bool normalise; /* by the training images' own means and deviations */
    double mean[DATA_TONES], deviation[DATA_TONES]; /* or by these, of pixels / 255 */
    size_t mean_count, deviation_count;
    uint32_t mean_line; /* in the recipe */
    uint64_t seed;
    engine_backend_id backend;
    uint32_t backend_line; /* in the recipe */
    recipe_training training;
    recipe_prune prune;
    recipe_quantize quantize;
    pack_settings pack;
    char sha256[65]; /* of the file: a resumed run must have the same */
} recipe;

/* Errors name the line and the key. *out is the caller's (base_free). */
admmnn_status recipe_read(const char *path, recipe **out, admmnn_error *err);
admmnn_status recipe_parse(const char *path, const uint8_t *text, size_t count, recipe **out,
                           admmnn_error *err);
/* Checks the parts that need the network: layers exist, ratios are reachable. labels: the
 * names of its ONNX file, or NULL. */
admmnn_status recipe_check(const recipe *r, const graph *g, const onnx_labels *labels,
                           admmnn_error *err);
/* The node of the layer that is called so: by the graph, or, where the graph's name for it is
 * another, by its ONNX file. GRAPH_NONE: no layer. */
uint32_t recipe_find_layer(const graph *g, const onnx_labels *labels, const char *name);

/* The fewest bits that a weight may have on these levels. */
unsigned recipe_least_bits(admm_levels levels);
/* Not where they are given, nor for binary and ternary levels: these are as many with
 * any bits, and have 1 and 2. */
bool recipe_bits_searched(const recipe_quantize *q);

#endif
