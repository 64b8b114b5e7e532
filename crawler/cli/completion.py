"""`crawler completion`: the script that makes a shell complete commands, options, files and configuration keys."""

from __future__ import annotations

from typing import Final

import click

from crawler.cli.out import tell
from crawler.cli.page import Page

_BASH: Final = """\
# Completion of crawler in bash 4.4 and later:  source <(crawler completion bash)
_crawler_completion() {
    local kind word
    COMPREPLY=()
    while IFS=$'\\t' read -r kind word; do
        case $kind in
            dir) compopt -o dirnames -o filenames ;;
            file) compopt -o default -o filenames ;;
            part) compopt -o nospace; COMPREPLY+=("$word") ;;
            plain) COMPREPLY+=("$word") ;;
        esac
    done < <(CRAWLER_COMPLETION_LINE="${COMP_LINE:0:COMP_POINT}" _CRAWLER_COMPLETE=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F _crawler_completion crawler
"""

_ZSH: Final = """\
#compdef crawler
# Completion of crawler in zsh:  source <(crawler completion zsh), after compinit; or as _crawler in a folder of $fpath
_crawler() {
    local kind word help line="${(j: :)words[1,CURRENT-1]} ${words[CURRENT]}"
    local -a plain parts
    while IFS=$'\\t' read -r kind word help; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files ;;
            part) parts+=("${word//:/\\\\:}:$help") ;;
            plain) plain+=("${word//:/\\\\:}:$help") ;;
        esac
    done < <(CRAWLER_COMPLETION_LINE="$line" _CRAWLER_COMPLETE=zsh_complete "${(Q)words[1]}" 2>/dev/null)
    (( $#plain )) && _describe -V crawler plain
    (( $#parts )) && _describe -V crawler parts -S ''
}
if [[ $funcstack[1] == _crawler ]]; then _crawler "$@"; else compdef _crawler crawler; fi
"""

_FISH: Final = """\
# Completion of crawler in fish:  crawler completion fish | source
function __crawler_completion
    set -lx CRAWLER_COMPLETION_LINE (commandline -cp)
    set -lx _CRAWLER_COMPLETE fish_complete
    set -l current (commandline -ct)
    set -l command (commandline -opc)[1]
    for line in ($command 2>/dev/null)
        set -l fields (string split \\t -- $line)
        switch $fields[1]
            case dir
                __fish_complete_directories $current
            case file
                __fish_complete_path $current
            case '*'
                printf '%s\\t%s\\n' $fields[2] $fields[3]
        end
    end
end
complete -c crawler -f -a '(__crawler_completion)'
"""

SCRIPTS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


@click.command(cls=Page, short_help="Print a script that completes what is typed, for bash, zsh or fish.")
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(list(SCRIPTS)))
def completion(shell: str) -> None:
    """Print a script for a shell. With it, Tab completes commands, options, names of files and folders, the keys of
    --set and their values, and the rules of a crawl.

    The first example tries it, for as long as a shell runs; in zsh likewise, in fish it is crawler completion fish |
    source. The others keep it: zsh looks there if ~/.zshrc says fpath+=~/.zfunc before compinit.
    """
    tell(SCRIPTS[shell], end="")
