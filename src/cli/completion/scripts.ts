/** The supported shells. */
export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const

export type Shell = (typeof SHELLS)[number]

/**
 * The completion script of each shell. A script passes the command line up to the cursor to
 * `disco completion SHELL --line`. Its first line of output is `words`, `part` (no space after the word) or `files`;
 * each further line is a candidate.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of disco for bash 4 and later. For this shell: source <(disco completion bash)
_disco() {
  local kind word
  COMPREPLY=()
  {
    IFS= read -r kind
    while IFS= read -r word; do COMPREPLY+=("$word"); done
  } < <(disco completion bash --line "\${COMP_LINE:0:COMP_POINT}" --breaks "$COMP_WORDBREAKS" 2>/dev/null)
  case $kind in
    files) compopt -o default ;;
    part) compopt -o nospace ;;
  esac
}
complete -F _disco disco`,
  zsh: `#compdef disco
# Completion of disco for zsh. For this shell: source <(disco completion zsh)
_disco() {
  local kind
  local -a answer
  answer=("\${(@f)$(disco completion zsh --line "\${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
  kind=$answer[1]
  shift answer
  case $kind in
    files) _files ;;
    part) _describe disco answer -S '' ;;
    words) (( $#answer )) && _describe disco answer ;;
  esac
}
if (( ! $+functions[compdef] )); then
  autoload -Uz compinit && compinit
fi
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _disco "$@"
else
  compdef _disco disco
fi`,
  fish: `# Completion of disco for fish. For this shell: disco completion fish | source
function __disco_complete
  set -l answer (disco completion fish --line (commandline -cp | string collect) 2>/dev/null)
  if test "$answer[1]" = files
    __fish_complete_path (commandline -ct)
  else if set -q answer[2]
    printf '%s\\n' $answer[2..-1]
  end
end
complete -c disco -f -a '(__disco_complete)'`,
  powershell: `# Completion of disco for PowerShell. For this shell: disco completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName disco -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $line = $commandAst.ToString()
  $end = $cursorPosition - $commandAst.Extent.StartOffset
  $line = if ($end -gt $line.Length) { "$line " } else { $line.Substring(0, $end) }
  $kind, $answer = @(disco completion powershell --line $line 2>$null)
  if ($kind -eq 'files') { return }
  foreach ($candidate in $answer) {
    $value, $description = $candidate -split "\`t", 2
    if (-not $description) { $description = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
  }
}`,
}

/** The shell command that installs the completion for all future shells. */
export const INSTALL: Readonly<Record<Shell, string>> = {
  bash: `echo 'source <(disco completion bash)' >> ~/.bashrc`,
  zsh: `echo 'source <(disco completion zsh)' >> ~/.zshrc`,
  fish: 'disco completion fish > ~/.config/fish/completions/disco.fish',
  powershell: `Add-Content $PROFILE 'disco completion powershell | Out-String | Invoke-Expression'`,
}
