/* The subcommands, one file each. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "command.h"

extern const cli_command cli_data_fetch;
extern const cli_command cli_data_path;
extern const cli_command cli_compress;
extern const cli_command cli_compare;
extern const cli_command cli_show;
extern const cli_command cli_import;
extern const cli_command cli_pack;
extern const cli_command cli_unpack;
extern const cli_command cli_bench;
extern const cli_command cli_inspect;
extern const cli_command cli_eval;
extern const cli_command cli_run;
extern const cli_command cli_finetune;
extern const cli_command cli_export_c;
extern const cli_command cli_admmq_bench;
extern const cli_command cli_admmq_solve;
extern const cli_command cli_version;
extern const cli_command cli_help;

#endif
