#!/bin/bash

__mailctl_cursor_index_in_current_word() {
    local remaining="${COMP_LINE}"

    local word
    for word in "${COMP_WORDS[@]::COMP_CWORD}"; do
        remaining="${remaining##*([[:space:]])"${word}"*([[:space:]])}"
    done

    local -ir index="$((COMP_POINT - ${#COMP_LINE} + ${#remaining}))"
    if [[ "${index}" -le 0 ]]; then
        printf 0
    else
        printf %s "${index}"
    fi
}

# positional arguments:
#
# - 1: the current (sub)command's count of positional arguments
#
# required variables:
#
# - repeating_flags: the repeating flags that the current (sub)command can accept
# - non_repeating_flags: the non-repeating flags that the current (sub)command can accept
# - repeating_options: the repeating options that the current (sub)command can accept
# - non_repeating_options: the non-repeating options that the current (sub)command can accept
# - positional_number: value ignored
# - unparsed_words: unparsed words from the current command line
#
# modified variables:
#
# - non_repeating_flags: remove flags for this (sub)command that are already on the command line
# - non_repeating_options: remove options for this (sub)command that are already on the command line
# - positional_number: set to the current positional number
# - unparsed_words: remove all flags, options, and option values for this (sub)command
__mailctl_offer_flags_options() {
    local -ir positional_count="${1}"
    positional_number=0

    local was_flag_option_terminator_seen=false
    local is_parsing_option_value=false

    local -ar unparsed_word_indices=("${!unparsed_words[@]}")
    local -i word_index
    for word_index in "${unparsed_word_indices[@]}"; do
        if "${is_parsing_option_value}"; then
            # This word is an option value:
            # Reset marker for next word iff not currently the last word
            [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]] && is_parsing_option_value=false
            unset "unparsed_words[${word_index}]"
            # Do not process this word as a flag or an option
            continue
        fi

        local word="${unparsed_words["${word_index}"]}"
        if ! "${was_flag_option_terminator_seen}"; then
            case "${word}" in
            --)
                unset "unparsed_words[${word_index}]"
                # by itself -- is a flag/option terminator, but if it is the last word, it is the start of a completion
                if [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]]; then
                    was_flag_option_terminator_seen=true
                fi
                continue
                ;;
            -*)
                # ${word} is a flag or an option
                # If ${word} is an option, mark that the next word to be parsed is an option value
                local option
                for option in "${repeating_options[@]}" "${non_repeating_options[@]}"; do
                    [[ "${word}" = "${option}" ]] && is_parsing_option_value=true && break
                done

                # Remove ${word} from ${non_repeating_flags} or ${non_repeating_options} so it isn't offered again
                local not_found=true
                local -i index
                for index in "${!non_repeating_flags[@]}"; do
                    if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                        unset "non_repeating_flags[${index}]"
                        non_repeating_flags=("${non_repeating_flags[@]}")
                        not_found=false
                        break
                    fi
                done
                if "${not_found}"; then
                    for index in "${!non_repeating_flags[@]}"; do
                        if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                            unset "non_repeating_flags[${index}]"
                            non_repeating_flags=("${non_repeating_flags[@]}")
                            break
                        fi
                    done
                fi
                unset "unparsed_words[${word_index}]"
                continue
                ;;
            esac
        fi

        # ${word} is neither a flag, nor an option, nor an option value
        if [[ "${positional_number}" -lt "${positional_count}" || "${positional_count}" -lt 0 ]]; then
            # ${word} is a positional
            ((positional_number++))
            unset "unparsed_words[${word_index}]"
        else
            if [[ -z "${word}" ]]; then
                # Could be completing a flag, option, or subcommand
                positional_number=-1
            else
                # ${word} is a subcommand or invalid, so stop processing this (sub)command
                positional_number=-2
            fi
            break
        fi
    done

    unparsed_words=("${unparsed_words[@]}")

    if\
        ! "${was_flag_option_terminator_seen}"\
        && ! "${is_parsing_option_value}"\
        && [[ ("${cur}" = -* && "${positional_number}" -ge 0) || "${positional_number}" -eq -1 ]]
    then
        COMPREPLY+=($(compgen -W "${repeating_flags[*]} ${non_repeating_flags[*]} ${repeating_options[*]} ${non_repeating_options[*]}" -- "${cur}"))
    fi
}

__mailctl_add_completions() {
    local completion
    while IFS='' read -r completion; do
        COMPREPLY+=("${completion}")
    done < <(IFS=$'\n' compgen "${@}" -- "${cur}")
}

__mailctl_custom_complete() {
    if [[ -n "${cur}" || -z ${COMP_WORDS[${COMP_CWORD}]} || "${COMP_LINE:${COMP_POINT}:1}" != ' ' ]]; then
        local -ar words=("${COMP_WORDS[@]}")
    else
        local -ar words=("${COMP_WORDS[@]::${COMP_CWORD}}" '' "${COMP_WORDS[@]:${COMP_CWORD}}")
    fi

    "${COMP_WORDS[0]}" "${@}" "${words[@]}"
}

_mailctl() {
    local state
    state="$(shopt -p;shopt -po)"
    trap "${state//$'\n'/;}" RETURN
    shopt -s extglob
    set +o history +o posix

    local -xr SAP_SHELL=bash
    local -x SAP_SHELL_VERSION
    SAP_SHELL_VERSION="$(IFS='.';printf %s "${BASH_VERSINFO[*]}")"
    local -r SAP_SHELL_VERSION

    local -r cur="${2}"
    local -r prev="${3}"

    local -i positional_number
    local -a unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")

    local -a repeating_flags=()
    local -a non_repeating_flags=(--json --version -h --help)
    local -a repeating_options=()
    local -a non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    setup|init|config|check|doctor|run|start|stop|restart|reload|status|log-level|debug|metrics|listen|tree|sandbox|domain|account|alias|route|relay-password|directory|queue|trace|explain|audit|help)
        # Offer subcommand argument completions
        "_mailctl_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'setup init config check doctor run start stop restart reload status log-level debug metrics listen tree sandbox domain account alias route relay-password directory queue trace explain audit help' -- "${cur}"))
        ;;
    esac
}

_mailctl_setup() {
    repeating_flags=()
    non_repeating_flags=(--json --password-stdin --dev --version -h --help)
    repeating_options=(--public-address)
    non_repeating_options=(--root --config --hostname --base-port)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--hostname')
        return
        ;;
    '--public-address')
        return
        ;;
    '--base-port')
        return
        ;;
    esac
}

_mailctl_init() {
    repeating_flags=()
    non_repeating_flags=(--json --dev --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --domain --base-port)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--domain')
        return
        ;;
    '--base-port')
        return
        ;;
    esac
}

_mailctl_config() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    check|get|keys|sample|tree)
        # Offer subcommand argument completions
        "_mailctl_config_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'check get keys sample tree' -- "${cur}"))
        ;;
    esac
}

_mailctl_config_check() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_config_get() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_config_keys() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_config_sample() {
    repeating_flags=()
    non_repeating_flags=(--json --dev --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_config_tree() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_check() {
    repeating_flags=()
    non_repeating_flags=(--json --permissions --fix --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_doctor() {
    repeating_flags=()
    non_repeating_flags=(--json --offline --round-trip --no-round-trip --version -h --help)
    repeating_options=(--address --block-list)
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--address')
        return
        ;;
    '--block-list')
        return
        ;;
    esac
}

_mailctl_run() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_start() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __mailctl_add_completions -W 'smtpd'$'\n''submission'$'\n''queued'$'\n''locald'$'\n''remoted'$'\n''pop3d'$'\n''imapd'
        return
        ;;
    esac
}

_mailctl_stop() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __mailctl_add_completions -W 'smtpd'$'\n''submission'$'\n''queued'$'\n''locald'$'\n''remoted'$'\n''pop3d'$'\n''imapd'
        return
        ;;
    esac
}

_mailctl_restart() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __mailctl_add_completions -W 'smtpd'$'\n''submission'$'\n''queued'$'\n''locald'$'\n''remoted'$'\n''pop3d'$'\n''imapd'
        return
        ;;
    esac
}

_mailctl_reload() {
    repeating_flags=()
    non_repeating_flags=(--json --restart --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __mailctl_add_completions -W 'smtpd'$'\n''submission'$'\n''queued'$'\n''locald'$'\n''remoted'$'\n''pop3d'$'\n''imapd'
        return
        ;;
    esac
}

_mailctl_status() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_log-level() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_debug() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --ip --account --minutes)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--ip')
        return
        ;;
    '--account')
        return
        ;;
    '--minutes')
        return
        ;;
    esac
}

_mailctl_metrics() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_listen() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __mailctl_add_completions -W 'smtpd'$'\n''submission'$'\n''queued'$'\n''locald'$'\n''remoted'$'\n''pop3d'$'\n''imapd'
        return
        ;;
    esac
}

_mailctl_tree() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    start|stop|hold)
        # Offer subcommand argument completions
        "_mailctl_tree_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'start stop hold' -- "${cur}"))
        ;;
    esac
}

_mailctl_tree_start() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_tree_stop() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_tree_hold() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_sandbox() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    report)
        # Offer subcommand argument completions
        "_mailctl_sandbox_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'report' -- "${cur}"))
        ;;
    esac
}

_mailctl_sandbox_report() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_domain() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    add|remove|list)
        # Offer subcommand argument completions
        "_mailctl_domain_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'add remove list' -- "${cur}"))
        ;;
    esac
}

_mailctl_domain_add() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_domain_remove() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_domain_list() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    add|remove|rename|enable|disable|show|list|passwd|apppassword|grant|import)
        # Offer subcommand argument completions
        "_mailctl_account_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'add remove rename enable disable show list passwd apppassword grant import' -- "${cur}"))
        ;;
    esac
}

_mailctl_account_add() {
    repeating_flags=()
    non_repeating_flags=(--json --password-stdin --no-password --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_remove() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_rename() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_enable() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_disable() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_show() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_list() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_passwd() {
    repeating_flags=()
    non_repeating_flags=(--json --password-stdin --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_apppassword() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    add|list|revoke)
        # Offer subcommand argument completions
        "_mailctl_account_apppassword_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'add list revoke' -- "${cur}"))
        ;;
    esac
}

_mailctl_account_apppassword_add() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_apppassword_list() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_apppassword_revoke() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_grant() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    add|revoke|list)
        # Offer subcommand argument completions
        "_mailctl_account_grant_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'add revoke list' -- "${cur}"))
        ;;
    esac
}

_mailctl_account_grant_add() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_grant_revoke() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_grant_list() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_account_import() {
    repeating_flags=()
    non_repeating_flags=(--json --create-domains --skip-existing --keep-plain --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_alias() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    add|remove|list)
        # Offer subcommand argument completions
        "_mailctl_alias_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'add remove list' -- "${cur}"))
        ;;
    esac
}

_mailctl_alias_add() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_alias_remove() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_alias_list() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_route() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    add|remove|list)
        # Offer subcommand argument completions
        "_mailctl_route_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'add remove list' -- "${cur}"))
        ;;
    esac
}

_mailctl_route_add() {
    repeating_flags=()
    non_repeating_flags=(--json --sender --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_route_remove() {
    repeating_flags=()
    non_repeating_flags=(--json --sender --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_route_list() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_relay-password() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    set|remove|list)
        # Offer subcommand argument completions
        "_mailctl_relay-password_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'set remove list' -- "${cur}"))
        ;;
    esac
}

_mailctl_relay-password_set() {
    repeating_flags=()
    non_repeating_flags=(--json --unproved --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --sender)
    __mailctl_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--sender')
        return
        ;;
    esac
}

_mailctl_relay-password_remove() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --sender)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--sender')
        return
        ;;
    esac
}

_mailctl_relay-password_list() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_directory() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    publish)
        # Offer subcommand argument completions
        "_mailctl_directory_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'publish' -- "${cur}"))
        ;;
    esac
}

_mailctl_directory_publish() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_queue() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show|cat|stats|hold|release|retry|flush|delete|bounce|reroute|export|import)
        # Offer subcommand argument completions
        "_mailctl_queue_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show cat stats hold release retry flush delete bounce reroute export import' -- "${cur}"))
        ;;
    esac
}

_mailctl_queue_list() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    esac
}

_mailctl_queue_show() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_queue_cat() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_queue_stats() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    esac
}

_mailctl_queue_hold() {
    repeating_flags=()
    non_repeating_flags=(--json --all --dry-run --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state --because)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    '--because')
        return
        ;;
    esac
}

_mailctl_queue_release() {
    repeating_flags=()
    non_repeating_flags=(--json --all --dry-run --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    esac
}

_mailctl_queue_retry() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    esac
}

_mailctl_queue_flush() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_queue_delete() {
    repeating_flags=()
    non_repeating_flags=(--json --all --dry-run --yes --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state --because)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    '--because')
        return
        ;;
    esac
}

_mailctl_queue_bounce() {
    repeating_flags=()
    non_repeating_flags=(--json --all --dry-run --yes --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state --because)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    '--because')
        return
        ;;
    esac
}

_mailctl_queue_reroute() {
    repeating_flags=()
    non_repeating_flags=(--json --dry-run --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    esac
}

_mailctl_queue_export() {
    repeating_flags=()
    non_repeating_flags=(--json --all --dry-run --delete --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --domain --older-than --newer-than --reason --state)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--domain')
        return
        ;;
    '--older-than')
        return
        ;;
    '--newer-than')
        return
        ;;
    '--reason')
        return
        ;;
    '--state')
        return
        ;;
    esac
}

_mailctl_queue_import() {
    repeating_flags=()
    non_repeating_flags=(--json --again --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_trace() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config)
    __mailctl_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    esac
}

_mailctl_explain() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --from --to --ip --helo --file)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '--ip')
        return
        ;;
    '--helo')
        return
        ;;
    '--file')
        return
        ;;
    esac
}

_mailctl_audit() {
    repeating_flags=()
    non_repeating_flags=(--json --store --version -h --help)
    repeating_options=()
    non_repeating_options=(--root --config --since)
    __mailctl_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--root')
        return
        ;;
    '--config')
        return
        ;;
    '--since')
        return
        ;;
    esac
}

_mailctl_help() {
    repeating_flags=()
    non_repeating_flags=(--version)
    repeating_options=()
    non_repeating_options=()
    __mailctl_offer_flags_options -1
}

complete -o filenames -F _mailctl mailctl
