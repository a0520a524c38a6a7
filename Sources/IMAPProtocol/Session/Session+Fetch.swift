// FETCH (RFC 3501 §6.4.5). The client's pace is ours: nothing is read ahead of what was sent.

internal import MailModel

extension Session {
    mutating func fetch(_ tag: Tag, _ set: SequenceSet, _ items: [FetchItem], _ numbering: Command.Numbering) {
        guard let places = places(tag, set, numbering), let selected else { return }
        running = .fetch(FetchRun(tag, items, numbering, places, isReadOnly: selected.isReadOnly))
    }

    mutating func stepFetch(_ run: FetchRun) -> Bool {
        var run = run
        guard var current = run.current else { return beginMessage(run) }
        guard let description = current.description else { return false }
        if !current.literal.isEmpty {
            ask(.read(current.uid, current.literal.prefix(FetchRun.chunk)))
        } else if current.position < run.items.count {
            printItem(run.items[current.position], of: &current, description)
            run.current = current
            running = .fetch(run)
        } else if run.setsSeen, !current.isMarked, !isSeen(current) {
            current.isMarked = true
            run.current = current
            running = .fetch(run)
            ask(.store([current.uid], StoreOperation(.add, Flags(.seen), isSilent: true)))
        } else {
            endMessage(run, current)
        }
        return true
    }

    private func isSeen(_ current: FetchRun.Current) -> Bool {
        selected?.messages[current.place].flags.system.contains(.seen) ?? true
    }

    private mutating func beginMessage(_ run: FetchRun) -> Bool {
        var run = run
        guard let place = run.places.next(), let message = selected?.messages[place] else {
            completeNumbered(run.tag, run.numbering, someAreGone: run.someAreGone, "OK FETCH completed")
            return true
        }
        var current = FetchRun.Current(place: place, uid: message.uid)
        if run.needs.isEmpty || run.needs == .size, let size = message.size ?? (run.needs.isEmpty ? 0 : nil) {
            begin(&current, MessageDescription(size: Int(size)))
        } else {
            ask(.describe(message.uid, run.needs))
        }
        run.current = current
        running = .fetch(run)
        return true
    }

    private mutating func begin(_ current: inout FetchRun.Current, _ description: MessageDescription) {
        current.description = description
        output.raw("* ")
        output.number(current.place + 1)
        output.raw(" FETCH (")
    }

    private mutating func endMessage(_ run: FetchRun, _ current: FetchRun.Current) {
        var run = run
        if run.wantsFlagsLast || current.isMarked {
            if !run.items.isEmpty { output.raw(" ") }
            printFlags(of: current)
        }
        output.raw(")\r\n")
        run.current = nil
        running = .fetch(run)
    }

    mutating func takeFetch(_ answer: Answer, _ run: FetchRun) {
        var run = run
        guard var current = run.current else { return }
        guard let description = current.description else { return takeDescription(answer, run, current) }
        switch answer {
        case .content(let bytes) where !current.literal.isEmpty:
            // A message that became shorter under us: what was announced cannot be kept.
            guard !bytes.isEmpty, bytes.count <= current.literal.count else { return close() }
            output.raw(bytes)
            current.literal = current.literal.dropFirst(bytes.count)
        case .content(let bytes): current.innerHeader = bytes
        case .stored(let updates):
            for update in updates { _ = selected?.setFlags(update) }
            if updates.isEmpty { current.isMarked = true }
        // The flag could not be stored; what was fetched is right all the same.
        case .refused where current.isMarked: break
        case .done, .refused, .mailboxes, .selected, .changes, .status, .appended, .described, .copied, .expunged, .matches:
            return close()
        }
        current.description = description
        run.current = current
        running = .fetch(run)
    }

    private mutating func takeDescription(_ answer: Answer, _ run: FetchRun, _ current: FetchRun.Current) {
        var run = run
        var current = current
        guard case .described(let description) = answer else {
            return refuse(run.tag, answer, tellsExpunges: run.numbering == .uid)
        }
        if let description {
            begin(&current, description)
            run.current = current
        } else {
            run.current = nil
            run.someAreGone = true
            needsRefresh = true
        }
        running = .fetch(run)
    }
}

extension Range<Int> {
    fileprivate func prefix(_ count: Int) -> Range<Int> { lowerBound..<Swift.min(upperBound, lowerBound + count) }
    fileprivate func dropFirst(_ count: Int) -> Range<Int> { Swift.min(upperBound, lowerBound + count)..<upperBound }
}
