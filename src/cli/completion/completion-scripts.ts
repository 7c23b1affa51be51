export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * What each shell needs to ask `backplane __complete` for candidates. The words before the cursor
 * go after `--`, the last one may be empty; each line of the answer is one candidate.
 */
export const completionScripts: Record<Shell, string> = {
  bash: `# bash completion for backplane
_backplane() {
  local cur words cword IFS=$'\n'
  if declare -F _get_comp_words_by_ref >/dev/null; then
    # A document may be called a:b, and bash would split it there.
    _get_comp_words_by_ref -n : cur words cword
  else
    cur="\${COMP_WORDS[COMP_CWORD]}" words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
  fi
  COMPREPLY=($(backplane __complete -- "\${words[@]:1:cword}" 2>/dev/null))
  if [[ "\${COMPREPLY[0]}" == ":files" ]]; then
    COMPREPLY=($(compgen -f -- "$cur"))
  elif declare -F __ltrim_colon_completions >/dev/null; then
    __ltrim_colon_completions "$cur"
  fi
}
complete -F _backplane backplane
`,
  zsh: `#compdef backplane
_backplane() {
  local -a candidates
  candidates=("\${(@f)$(backplane __complete -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)}")
  if [[ "\${candidates[1]}" == ":files" ]]; then
    _files
  elif [[ -n "\${candidates[1]}" ]]; then
    compadd -a candidates
  fi
}
# From a folder of fpath this file is itself the first call.
if [[ "\${funcstack[1]}" == "_backplane" ]]; then
  _backplane "$@"
else
  compdef _backplane backplane
fi
`,
  fish: `# fish completion for backplane
function __backplane_complete
  set -l words (commandline -opc)
  # An empty word is one, too.
  set -a words (commandline -ct | string collect --allow-empty)
  set -l found (backplane __complete -- $words[2..-1] 2>/dev/null)
  if test "$found[1]" = ':files'
    __fish_complete_path (commandline -ct)
  else if test -n "$found[1]"
    printf '%s\\n' $found
  end
end
complete -c backplane -f -a '(__backplane_complete)'
`,
};
