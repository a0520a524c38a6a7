// The commands of the TRANSACTION state (RFC 1939 §5 and §7).

extension Session {
    mutating func command(_ line: [UInt8]) {
        switch Command.parse(line) {
        case .success(let command): execute(command)
        case .failure(.unknown), .failure(.foreign): refused("unknown command")
        case .failure(.badArguments): refused("wrong arguments")
        }
    }

    private mutating func execute(_ command: Command) {
        switch command {
        case .capa: send(capabilities.reply(beforeLogin: false))
        case .stat: stat()
        case .list(let number): list(.sizes, number)
        case .uidl(let number): list(.uniqueIDs, number)
        case .retr(let number): retrieve(number, cut: nil)
        case .top(let number, let lines): retrieve(number, cut: TopCut(lines: lines))
        case .dele(let number): delete(number)
        case .rset: reset()
        case .noop: send(Reply.ok("nothing done"))
        case .quit: quit()
        case .user, .pass, .auth, .authList, .stls: refused("you are logged in already")
        }
    }

    private mutating func stat() {
        var count = 0
        var size = 0
        for (message, isDeleted) in zip(messages, isDeleted) where !isDeleted {
            count += 1
            size = size.addingReportingOverflow(message.size).partialValue
        }
        send(Reply.ok("\(count) \(size)"))
    }

    /// The index of a message that exists and is not deleted; otherwise the client is told so.
    private mutating func index(_ number: Int) -> Int? {
        if number >= 1, number <= messages.count, !isDeleted[number - 1] { return number - 1 }
        send(Reply.error("no such message"))
        return nil
    }

    private mutating func list(_ listing: Listing, _ number: Int?) {
        guard let number else {
            send(Reply.ok("list follows"))
            state = .listing(listing, next: 0)
            return
        }
        guard let index = index(number) else { return }
        send(Array("+OK ".utf8) + line(listing, index))
    }

    private func line(_ listing: Listing, _ index: Int) -> [UInt8] {
        let value: [UInt8]
        switch listing {
        case .sizes: value = Array("\(messages[index].size)".utf8)
        case .uniqueIDs: value = messages[index].uniqueID
        }
        return Array("\(index + 1) ".utf8) + value + [0x0D, 0x0A]
    }

    /// Writes lines until a piece is full: a list of 100,000 messages is not held in memory (V48).
    mutating func continueListing(_ listing: Listing, from start: Int) {
        var out: [UInt8] = []
        var index = start
        while index < messages.count, out.count < limits.piece {
            if !isDeleted[index] { out += line(listing, index) }
            index += 1
        }
        if index < messages.count {
            state = .listing(listing, next: index)
        } else {
            out += [UInt8(ascii: "."), 0x0D, 0x0A]
            state = .ready
        }
        send(out)
    }

    private mutating func delete(_ number: Int) {
        guard let index = index(number) else { return }
        isDeleted[index] = true
        send(Reply.ok("marked as deleted"))
    }

    private mutating func reset() {
        isDeleted = Array(repeating: false, count: messages.count)
        send(Reply.ok("no message is marked as deleted"))
    }

    /// RFC 1939 §6: only this enters the UPDATE state.
    private mutating func quit() {
        let deleted = isDeleted.indices.filter { isDeleted[$0] }
        if deleted.isEmpty { return close(Reply.ok("bye")) }
        state = .updating(count: deleted.count)
        ask(.update(deleted: deleted))
    }

    private mutating func retrieve(_ number: Int, cut: TopCut?) {
        guard let index = index(number) else { return }
        transfer = Transfer(index: index, cut: cut)
        askForMore()
    }
}
