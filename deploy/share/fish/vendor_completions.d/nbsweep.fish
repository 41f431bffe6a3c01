# Completion of nbsweep for fish: the program itself says what may follow. File names follow where it says nothing.
function __nbsweep_complete
    set --local --export _NBSWEEP_COMPLETE complete_fish
    set --local --export _TYPER_COMPLETE_FISH_ACTION $argv[1]
    set --local --export _TYPER_COMPLETE_ARGS (commandline --cut-at-cursor --current-process)
    nbsweep 2> /dev/null
end
complete --command nbsweep --no-files --condition "__nbsweep_complete is-args" --arguments "(__nbsweep_complete get-args)"
