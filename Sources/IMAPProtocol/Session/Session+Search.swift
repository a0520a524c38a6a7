// SEARCH (RFC 3501 §6.4.4).

extension Session {
    mutating func search(_ tag: Tag, _ program: SearchProgram, _ numbering: Command.Numbering) {
        guard let selected else { return }
        found = []
        running = .search(SearchRun(tag: tag, numbering: numbering, program: ResolvedSearch(program, in: selected)))
    }

    mutating func stepSearch(_ run: SearchRun) -> Bool {
        guard let messages = selected?.messages else { return false }
        var run = run
        var effort = 0
        while run.place < messages.count, run.candidates.count < SearchRun.portion, effort < SearchRun.effort {
            switch run.program.matches(messages[run.place], at: run.place) {
            case true: found.append(run.place)
            case false: break
            case nil: run.candidates.append(run.place)
            }
            run.place += 1
            effort += run.program.cost
        }
        let isAtEnd = run.place == messages.count
        if run.candidates.isEmpty, isAtEnd {
            completeSearch(run, messages)
        } else {
            running = .search(run)
            let isFull = run.candidates.count >= SearchRun.portion
            if isFull || isAtEnd { ask(.match(run.candidates.map { messages[$0].uid }, run.program.contentKeys)) }
            wantsPause = !isFull && !isAtEnd
        }
        return true
    }

    mutating func takeSearch(_ answer: Answer, _ run: SearchRun) {
        guard case .matches(let rows) = answer, rows.count == run.candidates.count, let messages = selected?.messages
        else { return refuse(run.tag, answer, tellsExpunges: run.numbering == .uid) }
        var run = run
        // A message that is gone has an empty row, and is not found.
        for (place, row) in zip(run.candidates, rows) where row.count == run.program.contentKeys.count {
            if run.program.matches(messages[place], at: place, known: row) == true { found.append(place) }
        }
        run.candidates = []
        running = .search(run)
    }

    private mutating func completeSearch(_ run: SearchRun, _ messages: [MessageState]) {
        output.raw("* SEARCH")
        for place in found.sorted() {
            output.raw(" ")
            switch run.numbering {
            case .sequence: output.number(place + 1)
            case .uid: output.number(messages[place].uid.value)
            }
        }
        output.endLine()
        found = []
        completeNumbered(run.tag, run.numbering, someAreGone: false, "OK SEARCH completed")
    }
}
