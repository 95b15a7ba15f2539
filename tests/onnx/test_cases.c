/* ONNX's own cases of each operator (Debian's libonnx-testdata): what is read computes what
 * they give, and comes back from a file as it was. */
#include "support.h"

#include <dirent.h>

#include "onnx_schema/onnx.pb-c.h"

#define FOLDER "/usr/share/libonnx-testdata/data/node"
#define FILE_BYTES_MOST ((size_t)64 << 20)
#define CASES_MOST 2048
#define INPUTS_MOST 16

/* The operators of docs/onnx.md. */
static const char *const read_types[] = {"Conv",
                                         "ConvTranspose",
                                         "MaxPool",
                                         "AveragePool",
                                         "GlobalMaxPool",
                                         "GlobalAveragePool",
                                         "Gemm",
                                         "MatMul",
                                         "BatchNormalization",
                                         "InstanceNormalization",
                                         "LayerNormalization",
                                         "LRN",
                                         "Softmax",
                                         "LogSoftmax",
                                         "Relu",
                                         "LeakyRelu",
                                         "Sigmoid",
                                         "HardSigmoid",
                                         "HardSwish",
                                         "Tanh",
                                         "Elu",
                                         "Gelu",
                                         "Softplus",
                                         "Erf",
                                         "Sqrt",
                                         "Neg",
                                         "Exp",
                                         "Clip",
                                         "Add",
                                         "Sub",
                                         "Mul",
                                         "Div",
                                         "PRelu",
                                         "Pow",
                                         "Dropout",
                                         "Identity",
                                         "Cast",
                                         "ReduceMean",
                                         "ReduceSum",
                                         "Concat",
                                         "Split",
                                         "Slice",
                                         "Pad",
                                         "Flatten",
                                         "Reshape",
                                         "Squeeze",
                                         "Unsqueeze",
                                         "Transpose",
                                         "Gather",
                                         "Resize"};

/* What the message must say of cases that are refused, and their names, a space behind each. */
static const struct {
    const char *reason, *names;
} refusals[] = {
    {"a bias that is not one row", "test_gemm_default_matrix_bias "},
    {"a constant differs from sample to sample",
     "test_concat_2d_axis_1 test_concat_2d_axis_negative_1 test_concat_3d_axis_1 "
     "test_concat_3d_axis_2 test_concat_3d_axis_negative_1 "
     "test_concat_3d_axis_negative_2 "},
    {"windows of one and two are read",
     "test_averagepool_3d_default test_convtranspose_3d test_maxpool_3d_default "},
    {"coordinate_transformation_mode 'tf_crop_and_resize'", "test_resize_tf_crop_and_resize "},
    {"it joins other axes to the batch's",
     "test_flatten_axis0 test_flatten_axis2 test_flatten_axis3 "
     "test_flatten_negative_axis1 test_flatten_negative_axis2 "
     "test_flatten_negative_axis4 "},
    {"its axis is the batch's",
     "test_concat_2d_axis_0 test_concat_2d_axis_negative_2 test_concat_3d_axis_0 "
     "test_concat_3d_axis_negative_3 test_gather_0 test_layer_normalization_2d_axis0 "
     "test_layer_normalization_2d_axis_negative_2 "
     "test_layer_normalization_3d_axis0_epsilon "
     "test_layer_normalization_3d_axis_negative_3_epsilon "
     "test_layer_normalization_4d_axis0 test_layer_normalization_4d_axis_negative_4 "
     "test_logsoftmax_axis_0 test_slice test_slice_default_axes "
     "test_slice_default_steps test_slice_neg_steps test_slice_negative_axes "
     "test_softmax_axis_0 test_squeeze test_unsqueeze_axis_0 "},
    {"mode 'cubic'",
     "test_resize_downsample_scales_cubic "
     "test_resize_downsample_scales_cubic_A_n0p5_exclude_outside "
     "test_resize_downsample_scales_cubic_align_corners "
     "test_resize_downsample_sizes_cubic test_resize_upsample_scales_cubic "
     "test_resize_upsample_scales_cubic_A_n0p5_exclude_outside "
     "test_resize_upsample_scales_cubic_align_corners "
     "test_resize_upsample_scales_cubic_asymmetric test_resize_upsample_sizes_cubic "},
    {"axis 0: 0 from 10 by 1 of 10", "test_slice_start_out_of_bounds "},
    {"only the form for inference is read",
     "test_batchnorm_epsilon_training_mode test_batchnorm_example_training_mode "
     "test_training_dropout test_training_dropout_default "
     "test_training_dropout_default_mask test_training_dropout_mask "
     "test_training_dropout_zero_ratio test_training_dropout_zero_ratio_mask "},
    {"perm moves the batch's axis",
     "test_transpose_all_permutations_2 test_transpose_all_permutations_3 "
     "test_transpose_all_permutations_4 test_transpose_all_permutations_5 "
     "test_transpose_default "},
    {"the batch must stay the first axis", "test_reshape_negative_extended_dims "},
    {"has 1 dimensions",
     "test_concat_1d_axis_0 test_concat_1d_axis_negative_1 "
     "test_gather_negative_indices test_split_equal_parts_1d "
     "test_split_equal_parts_default_axis test_split_variable_parts_1d "
     "test_split_variable_parts_default_axis test_split_zero_size_splits "},
    {"is no tensor of floats",
     "test_add_uint8 test_cast_STRING_to_FLOAT test_castlike_STRING_to_FLOAT_expanded "
     "test_clip_default_int8_inbounds test_clip_default_int8_max "
     "test_clip_default_int8_min test_div_uint8 test_edge_pad test_identity_opt "
     "test_identity_sequence test_maxpool_2d_uint8 test_mul_uint8 test_pow_types_float "
     "test_pow_types_int32_float32 test_pow_types_int32_int32 "
     "test_pow_types_int64_float32 test_pow_types_int64_int64 test_reflect_pad "
     "test_sub_uint8 "},
    {"does not begin with the batch",
     "test_reshape_allowzero_reordered test_reshape_one_dim "
     "test_reshape_reordered_all_dims "},
    {"is the input",
     "test_cast_BFLOAT16_to_FLOAT test_cast_DOUBLE_to_FLOAT "
     "test_cast_DOUBLE_to_FLOAT16 test_cast_FLOAT16_to_DOUBLE "
     "test_cast_FLOAT16_to_FLOAT test_cast_FLOAT_to_BFLOAT16 test_cast_FLOAT_to_DOUBLE "
     "test_cast_FLOAT_to_FLOAT16 test_castlike_BFLOAT16_to_FLOAT_expanded "
     "test_castlike_DOUBLE_to_FLOAT16_expanded test_castlike_DOUBLE_to_FLOAT_expanded "
     "test_castlike_FLOAT16_to_DOUBLE_expanded test_castlike_FLOAT16_to_FLOAT_expanded "
     "test_castlike_FLOAT_to_BFLOAT16_expanded test_castlike_FLOAT_to_DOUBLE_expanded "
     "test_castlike_FLOAT_to_FLOAT16_expanded test_identity "
     "test_reduce_sum_empty_axes_input_noop_example "
     "test_reduce_sum_empty_axes_input_noop_random "
     "test_reduce_sum_negative_axes_keepdims_random "},
    {"transA", "test_gemm_all_attributes test_gemm_transposeA "},
    {"values of type 8", "test_cast_FLOAT_to_STRING test_castlike_FLOAT_to_STRING_expanded "},
    {"without axes it sums the batch up",
     "test_reduce_mean_default_axes_keepdims_example "
     "test_reduce_mean_default_axes_keepdims_random "
     "test_reduce_sum_default_axes_keepdims_example "
     "test_reduce_sum_default_axes_keepdims_random "},
};

/* Of these a batch of one may stand before all dimensions: constants then have fewer. */
static const char *const lifted_types[] = {
    "Relu",     "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh",  "Elu", "Gelu",
    "Softplus", "Erf",       "Sqrt",    "Neg",         "Exp",       "Clip",  "Add", "Sub",
    "Mul",      "Div",       "PRelu",   "Pow",         "Dropout",   "MatMul"};

/* The case takes the sizes before they are rounded, 2.4 by 2.4, where the operator's text takes
 * those of the output. */
static const char *const other_opinion = "test_resize_downsample_scales_linear_align_corners";

static bytes load(const char *folder, const char *name) {
    char path[512];
    bytes file;
    snprintf(path, sizeof path, FOLDER "/%.200s/%.200s", folder, name);
    MUST(base_file_read(path, FILE_BYTES_MOST, &file.at, &file.count, err));
    return file;
}

static bool exists(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, FOLDER "/%.200s/%.200s", folder, name);
    return base_file_exists(path);
}

static Onnx__TensorProto *load_tensor(const char *folder, const char *kind, size_t i) {
    char name[64];
    snprintf(name, sizeof name, "test_data_set_0/%s_%zu.pb", kind, i);
    if (!exists(folder, name))
        return NULL;
    bytes file = load(folder, name);
    Onnx__TensorProto *tensor = onnx__tensor_proto__unpack(NULL, file.count, file.at);
    base_free(file.at);
    return tensor;
}

static bool all_are(const Onnx__GraphProto *from, const char *const *types, size_t count) {
    for (size_t n = 0; n < from->n_node; n++) {
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found = found || strcmp(from->node[n]->op_type, types[i]) == 0;
        if (!found)
            return false;
    }
    return true;
}

#define ALL_ARE(from, types) all_are(from, types, sizeof(types) / sizeof(types)[0])

/* A batch of one before the other dimensions of the input, declared and given. */
static void lift(Onnx__GraphProto *from, Onnx__TensorProto *in) {
    Onnx__TensorShapeProto *shape = from->input[0]->type->tensor_type->shape;
    Onnx__TensorShapeProto__Dimension *one = malloc(sizeof *one);
    onnx__tensor_shape_proto__dimension__init(one);
    one->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    one->dim_value = 1;
    shape->dim = realloc(shape->dim, (shape->n_dim + 1) * sizeof *shape->dim);
    memmove(shape->dim + 1, shape->dim, shape->n_dim++ * sizeof *shape->dim);
    shape->dim[0] = one;
    in->dims = realloc(in->dims, (in->n_dims + 1) * sizeof *in->dims);
    memmove(in->dims + 1, in->dims, in->n_dims++ * sizeof *in->dims);
    in->dims[0] = 1;
}

/* All inputs but the first become initializers. */
static void fix_inputs(Onnx__GraphProto *from, const char *folder) {
    from->initializer =
        realloc(from->initializer, (from->n_initializer + INPUTS_MOST) * sizeof *from->initializer);
    for (size_t i = 1; i < from->n_input && i < INPUTS_MOST; i++) {
        Onnx__TensorProto *tensor = load_tensor(folder, "input", i);
        if (tensor == NULL)
            continue;
        free(tensor->name);
        tensor->name = strdup(from->input[i]->name);
        from->initializer[from->n_initializer++] = tensor;
    }
}

static bytes pack(const Onnx__ModelProto *model) {
    bytes file = {.count = onnx__model_proto__get_packed_size(model)};
    file.at = base_array(file.count, 1);
    onnx__model_proto__pack(model, file.at);
    return file;
}

/* The reason for which the case is refused, or NULL. */
static const char *refusal_of(const char *name) {
    char word[256];
    snprintf(word, sizeof word, "%s ", name);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *at = strstr(refusals[i].names, word);
        if (at != NULL && (at == refusals[i].names || at[-1] == ' '))
            return refusals[i].reason;
    }
    return NULL;
}

/* One float of a file's tensor, which holds raw floats or doubles. */
static float expected_at(const Onnx__TensorProto *tensor, size_t i) {
    float value;
    double wide;
    if (tensor->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE) {
        memcpy(&wide, tensor->raw_data.data + i * sizeof wide, sizeof wide);
        return (float)wide;
    }
    memcpy(&value, tensor->raw_data.data + i * sizeof value, sizeof value);
    return value;
}

static size_t element_size(const Onnx__TensorProto *tensor) {
    return tensor->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE ? sizeof(double)
                                                                      : sizeof(float);
}

static bool close_to(float got, float expected) {
    return (isnan(got) && isnan(expected)) || got == expected ||
           fabsf(got - expected) <= 1e-4F * (1.0F + fabsf(expected));
}

static void compare(const char *name, const onnx_model *model, const Onnx__TensorProto *in,
                    const Onnx__TensorProto *out) {
    const size_t samples = (size_t)in->dims[0];
    const size_t inputs = samples * graph_value_count(model->g, model->g->input);
    const size_t outputs = samples * graph_value_count(model->g, model->g->output);
    assert_int_equal(in->raw_data.len, inputs * element_size(in));
    if (out->raw_data.len != outputs * element_size(out))
        fail_msg("%s: %zu bytes, not %zu numbers", name, out->raw_data.len, outputs);
    float *from = base_array(inputs, sizeof *from);
    float *got = base_array(outputs, sizeof *got);
    for (size_t i = 0; i < inputs; i++)
        from[i] = expected_at(in, i);
    forward(model->g, model->params, from, samples, got);
    for (size_t i = 0; i < outputs; i++)
        if (!close_to(got[i], expected_at(out, i)))
            fail_msg("%s: output %zu is %g, not %g", name, i, (double)got[i],
                     (double)expected_at(out, i));
    base_free(from);
    base_free(got);
}

/* Written, read and written again: the same bytes, the same network. */
static void comes_back(const char *name, const onnx_model *model) {
    bytes first = write_model(model->g, model->params, model->labels);
    onnx_model again = read_model(name, first);
    bytes second = write_model(again.g, again.params, again.labels);
    expect_same_nodes(model->g, again.g);
    assert_int_equal(model->g->flat_count, again.g->flat_count);
    assert_memory_equal(model->params, again.params, again.g->flat_count * sizeof *again.params);
    if (first.count != second.count || memcmp(first.at, second.at, first.count) != 0)
        fail_msg("%s: its second file differs from the first", name);
    onnx_model_free(&again);
    base_free(first.at);
    base_free(second.at);
}

typedef struct tally {
    size_t ran, refused, other;
} tally;

static admmnn_status read_proto(const char *name, const Onnx__ModelProto *proto, onnx_model *model,
                                admmnn_error *err) {
    bytes file = pack(proto);
    const onnx_file from = {.name = name, .bytes = file.at, .count = file.count};
    const admmnn_status status = onnx_read(&from, model, err);
    base_free(file.at);
    return status;
}

static void read_case(const char *name, Onnx__ModelProto *proto, Onnx__TensorProto *in,
                      const Onnx__TensorProto *out, tally *counts) {
    onnx_model model;
    admmnn_error err = {0};
    const char *refusal = refusal_of(name);
    admmnn_status status = read_proto(name, proto, &model, &err);
    if (status != ADMMNN_OK && in->n_dims > 0 && ALL_ARE(proto->graph, lifted_types)) {
        lift(proto->graph, in);
        status = read_proto(name, proto, &model, &err);
    }
    counts->ran += status == ADMMNN_OK;
    counts->refused += status != ADMMNN_OK;
    if (status != ADMMNN_OK) {
        if (refusal == NULL || strstr(err.message, refusal) == NULL)
            fail_msg("%s", err.message);
        return;
    }
    if (refusal != NULL)
        fail_msg("%s is read, and should not be: %s", name, refusal);
    if (strcmp(name, other_opinion) != 0)
        compare(name, &model, in, out);
    comes_back(name, &model);
    onnx_model_free(&model);
}

static void run_case(const char *name, tally *counts) {
    bytes file = load(name, "model.onnx");
    Onnx__ModelProto *proto = onnx__model_proto__unpack(NULL, file.count, file.at);
    Onnx__TensorProto *in = load_tensor(name, "input", 0);
    Onnx__TensorProto *out = load_tensor(name, "output", 0);
    assert_non_null(proto);
    const size_t outputs = proto->graph->n_output;
    if (ALL_ARE(proto->graph, read_types) && in != NULL && out != NULL) {
        fix_inputs(proto->graph, name);
        proto->graph->n_output = 1; /* no masks and indices; the first of a split's parts */
        if (proto->opset_import[0]->version < 7)
            proto->opset_import[0]->version = 7; /* has these operators as they were */
        read_case(name, proto, in, out, counts);
    } else {
        counts->other++;
    }
    proto->graph->n_output = outputs;
    onnx__tensor_proto__free_unpacked(in, NULL);
    onnx__tensor_proto__free_unpacked(out, NULL);
    onnx__model_proto__free_unpacked(proto, NULL);
    base_free(file.at);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void operators_compute_what_onnx_says(void **state) {
    (void)state;
    static char *names[CASES_MOST];
    size_t count = 0;
    tally counts = {0};
    DIR *folder = opendir(FOLDER);
    if (folder == NULL) {
        print_message("libonnx-testdata is not installed: skipped\n");
        skip();
    }
    for (struct dirent *entry = readdir(folder); entry != NULL && count < CASES_MOST;
         entry = readdir(folder))
        if (entry->d_name[0] != '.')
            names[count++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        run_case(names[i], &counts);
        free(names[i]);
    }
    print_message("%zu cases agree, %zu are refused as they must be, %zu are of other operators\n",
                  counts.ran, counts.refused, counts.other);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        print_message("  refused: %s: %s\n", refusals[i].reason, refusals[i].names);
    assert_int_equal(counts.ran, 196); /* as docs/onnx.md says, with the other opinion */
    assert_int_equal(counts.refused, 119);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_compute_what_onnx_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
