// IDLE (RFC 2177): changes are told as they come, until DONE.

internal import MailModel

extension Session {
    mutating func idle(_ tag: Tag) {
        running = .idle(tag)
        // What changed before IDLE must not wait for the next change.
        needsRefresh = selected != nil
        output.raw("+ idling\r\n")
    }

    mutating func stepIdle(_ tag: Tag) -> Bool {
        if let line = framer.nextLine() {
            endIdle(tag, line)
            return true
        }
        guard needsRefresh else { return false }
        needsRefresh = false
        ask(.refresh)
        return true
    }

    private mutating func endIdle(_ tag: Tag, _ line: CommandFramer.Event) {
        switch line {
        case .command(let text) where text.equalsIgnoringASCIICase("DONE"):
            complete(tag, "OK IDLE completed")
        case .command, .bareLineFeed, .literal:
            complete(tag, "BAD DONE expected")
        case .tooLong: bye("* BYE Line too long\r\n")
        }
    }

    mutating func takeIdleRefresh(_ answer: Answer) {
        if apply(answer) { selected?.tell(expunges: true, to: &output) }
    }
}
