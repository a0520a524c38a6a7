function __mailctl_should_offer_completions_for_flags_or_options -a expected_commands
    set -l non_repeating_flags_or_options $argv[2..]
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __mailctl_parse_tokens
    test "$commands" = "$expected_commands"; and return $non_repeating_flags_or_options_absent
end

function __mailctl_should_offer_completions_for_positional -a expected_commands positional_index_comparison expected_positional_index
    set -l non_repeating_flags_or_options
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __mailctl_parse_tokens
    test "$commands" = "$expected_commands" -a \( "$positional_index" "$positional_index_comparison" "$expected_positional_index" \)
end

function __mailctl_parse_tokens -S
    set -l unparsed_tokens (__mailctl_tokens -pc)
    switch $unparsed_tokens[1]
    case 'mailctl'
        __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
        switch $unparsed_tokens[1]
        case 'init'
            __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'domain=' 'dev' 'base-port=' 'version' 'h/help'
        case 'config'
            __mailctl_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'check'
                __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
            case 'get'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'sample'
                __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'dev' 'version' 'h/help'
            case 'tree'
                __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
            end
        case 'run'
            __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
        case 'start'
            __mailctl_parse_subcommand -r 1 'root=' 'config=' 'json' 'version' 'h/help'
        case 'stop'
            __mailctl_parse_subcommand -r 1 'root=' 'config=' 'json' 'version' 'h/help'
        case 'restart'
            __mailctl_parse_subcommand -r 1 'root=' 'config=' 'json' 'version' 'h/help'
        case 'reload'
            __mailctl_parse_subcommand -r 1 'root=' 'config=' 'json' 'version' 'h/help'
        case 'status'
            __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
        case 'domain'
            __mailctl_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'add'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'remove'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'list'
                __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
            end
        case 'account'
            __mailctl_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'add'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'password-stdin' 'no-password' 'version' 'h/help'
            case 'remove'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'rename'
                __mailctl_parse_subcommand 2 'root=' 'config=' 'json' 'version' 'h/help'
            case 'enable'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'disable'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'show'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'list'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'passwd'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'password-stdin' 'version' 'h/help'
            case 'import'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'create-domains' 'skip-existing' 'version' 'h/help'
            end
        case 'alias'
            __mailctl_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'add'
                __mailctl_parse_subcommand -r 2 'root=' 'config=' 'json' 'version' 'h/help'
            case 'remove'
                __mailctl_parse_subcommand -r 2 'root=' 'config=' 'json' 'version' 'h/help'
            case 'list'
                __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
            end
        case 'route'
            __mailctl_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'add'
                __mailctl_parse_subcommand 2 'root=' 'config=' 'json' 'version' 'h/help'
            case 'remove'
                __mailctl_parse_subcommand 1 'root=' 'config=' 'json' 'version' 'h/help'
            case 'list'
                __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
            end
        case 'directory'
            __mailctl_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'publish'
                __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
            end
        case 'queue'
            __mailctl_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'list'
                __mailctl_parse_subcommand 0 'root=' 'config=' 'json' 'version' 'h/help'
            case 'retry'
                __mailctl_parse_subcommand -r 1 'root=' 'config=' 'json' 'version' 'h/help'
            end
        case 'help'
            __mailctl_parse_subcommand -r 1 'version'
        end
    end
end

function __mailctl_tokens
    if test (string split -m 1 -f 1 -- . "$FISH_VERSION") -gt 3
        commandline --tokens-raw $argv
    else
        commandline -o $argv
    end
end

function __mailctl_parse_subcommand -S -a positional_count
    argparse -s r -- $argv
    set -l option_specs $argv[2..]
    set -l is_repeating_positional $_flag_r
    set -el _flag_r
    set -a commands $unparsed_tokens[1]
    set positional_index 0
    while true
        set -e unparsed_tokens[1]
        argparse -sn "$commands" $option_specs -- $unparsed_tokens 2> /dev/null
        set unparsed_tokens $argv
        set positional_index (math $positional_index + 1)
        for non_repeating_flag_or_option in $non_repeating_flags_or_options
            if set -ql "_flag_$(string replace -a - _ -- $non_repeating_flag_or_option)"
                set non_repeating_flags_or_options_absent 1
                break
            end
        end
        test (count $unparsed_tokens) -eq 0 -o \( -z "$is_repeating_positional" -a "$positional_index" -gt "$positional_count" \) && break
    end
end

function __mailctl_complete_directories
    set -l token (commandline -t)
    string match -- '*/' $token
    set -l subdirs $token*/
    printf %s\n $subdirs
end

function __mailctl_custom_completion
    set -x SAP_SHELL fish
    set -x SAP_SHELL_VERSION $FISH_VERSION
    set -l tokens (__mailctl_tokens -p)
    if test -z "$(__mailctl_tokens -t)"
        set -l index (count (__mailctl_tokens -pc))
        set tokens $tokens[..$index] \'\' $tokens[(math $index + 1)..]
    end
    command $tokens[1] $argv $tokens
end

complete -c 'mailctl' -f
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'init' -d 'Make a complete tree: configuration, spool, directory and, for development, a certificate.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'config' -d 'Check the configuration, or show what is in force.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'run' -d 'Run all services in the foreground: for development, containers, and systems without systemd.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'start' -d 'Start services that were stopped.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'stop' -d 'Stop services; without a name all of them and the supervisor.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'restart' -d 'Stop and start services; no connection is refused meanwhile.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'reload' -d 'Read the configuration and the certificate anew; sessions go on.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'status' -d 'Show the services and how they are.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'domain' -d 'The domains whose mail is delivered here.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'account' -d 'The accounts and their passwords.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'alias' -d 'Addresses that stand for others; @DOMAIN stands for all that nobody has.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'route' -d 'Hosts that take all mail of a domain instead of its MX.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'directory' -d 'The directory database and what daemons see of it.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'queue' -d 'Look at mail in transit, and have it tried now.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl init" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl init" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl init" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl init" domain' -l 'domain' -d 'The first local domain; it gets the account postmaster.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl init" dev' -l 'dev' -d 'For development: unprivileged ports on loopback, a self-signed certificate, plain-text login on loopback.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl init" base-port' -l 'base-port' -d 'With --dev: each port is this plus the standard port.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl init" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl init" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl config" -eq 1' -fa 'check' -d 'Read the file as every daemon does; show everything wrong with it.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl config" -eq 1' -fa 'get' -d 'Print the value of a key, or of all keys.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl config" -eq 1' -fa 'sample' -d 'Print a file in which every key is explained.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl config" -eq 1' -fa 'tree' -d 'Print every folder, its owner, group, mode and purpose.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config check" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config check" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config check" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config check" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config check" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config get" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config get" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config get" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config get" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config get" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config sample" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config sample" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config sample" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config sample" dev' -l 'dev' -d 'With the values of a tree for development.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config sample" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config sample" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config tree" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config tree" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config tree" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config tree" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl config tree" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl run" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl run" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl run" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl run" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl run" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl start" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl start" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl start" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl start" -ge 1' -fka 'smtpd submission queued locald remoted pop3d imapd'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl start" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl start" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl stop" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl stop" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl stop" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl stop" -ge 1' -fka 'smtpd submission queued locald remoted pop3d imapd'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl stop" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl stop" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl restart" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl restart" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl restart" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl restart" -ge 1' -fka 'smtpd submission queued locald remoted pop3d imapd'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl restart" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl restart" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl reload" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl reload" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl reload" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl reload" -ge 1' -fka 'smtpd submission queued locald remoted pop3d imapd'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl reload" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl reload" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl status" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl status" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl status" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl status" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl status" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl domain" -eq 1' -fa 'add' -d 'Accept mail for a domain.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl domain" -eq 1' -fa 'remove' -d 'Take a domain without accounts and aliases away.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl domain" -eq 1' -fa 'list' -d 'Show the domains.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain add" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain add" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain add" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain add" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain add" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain remove" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain remove" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain remove" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain remove" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain remove" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain list" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain list" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain list" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain list" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl domain list" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'add' -d 'Make an account; without --password-stdin a password is made and shown once.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'remove' -d 'Remove an account; its mail stays on disk and its folder\'s name is never given again.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'rename' -d 'Give an account another address; its mail and its password stay.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'enable' -d 'Let an account log in and receive mail again.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'disable' -d 'Refuse logins and new mail; what is there stays.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'show' -d 'Show one account.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'list' -d 'Show the accounts, of one domain or of all.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'passwd' -d 'Give an account another password; without --password-stdin one is made and shown once.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl account" -eq 1' -fa 'import' -d 'Make many accounts at once, all or none.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account add" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account add" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account add" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account add" password-stdin' -l 'password-stdin' -d 'Take the password from the first line of stdin.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account add" no-password' -l 'no-password' -d 'Make an account that receives mail and cannot log in.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account add" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account add" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account remove" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account remove" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account remove" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account remove" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account remove" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account rename" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account rename" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account rename" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account rename" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account rename" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account enable" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account enable" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account enable" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account enable" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account enable" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account disable" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account disable" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account disable" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account disable" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account disable" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account show" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account show" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account show" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account show" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account show" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account list" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account list" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account list" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account list" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account list" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account passwd" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account passwd" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account passwd" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account passwd" password-stdin' -l 'password-stdin' -d 'Take the password from the first line of stdin.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account passwd" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account passwd" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account import" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account import" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account import" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account import" create-domains' -l 'create-domains' -d 'Make domains that are not ours yet ours.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account import" skip-existing' -l 'skip-existing' -d 'Leave accounts that exist as they are.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account import" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl account import" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl alias" -eq 1' -fa 'add' -d 'Make an alias, or add targets to one.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl alias" -eq 1' -fa 'remove' -d 'Remove an alias, or some of its targets.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl alias" -eq 1' -fa 'list' -d 'Show the aliases.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias add" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias add" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias add" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias add" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias add" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias remove" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias remove" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias remove" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias remove" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias remove" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias list" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias list" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias list" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias list" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl alias list" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl route" -eq 1' -fa 'add' -d 'Send a domain\'s mail to a host.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl route" -eq 1' -fa 'remove' -d 'Let a domain\'s MX decide again.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl route" -eq 1' -fa 'list' -d 'Show the routes.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route add" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route add" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route add" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route add" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route add" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route remove" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route remove" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route remove" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route remove" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route remove" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route list" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route list" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route list" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route list" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl route list" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl directory" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl directory" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl directory" -eq 1' -fa 'publish' -d 'Write the daemons\' snapshots anew; each change does it by itself.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl directory publish" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl directory publish" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl directory publish" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl directory publish" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl directory publish" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl queue" -eq 1' -fa 'list' -d 'Show every message that is not done, and why.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_positional "mailctl queue" -eq 1' -fa 'retry' -d 'Have deferred mail tried now.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue list" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue list" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue list" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue list" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue list" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue retry" root' -l 'root' -d 'The tree to work in; without it the system\'s.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue retry" config' -l 'config' -d 'The configuration file; default: etc/martlet.toml in the root.' -rfka ''
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue retry" json' -l 'json' -d 'Results and errors as JSON.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue retry" version' -l 'version' -d 'Show the version.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl queue retry" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'mailctl' -n '__mailctl_should_offer_completions_for_flags_or_options "mailctl help" version' -l 'version' -d 'Show the version.'
