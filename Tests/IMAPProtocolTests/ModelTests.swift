// Two clients send random commands into one account; each must be able to follow what happens to its mailbox.

import MailTestKit
import Testing

@testable import IMAPProtocol

@Suite struct ModelTests {
    @Test func clientsCanAlwaysFollow() throws {
        var random = SeededGenerator()
        for _ in 0..<60 { try playOneAccount(&random) }
    }

    private func playOneAccount(_ random: inout SeededGenerator) throws {
        var world = try IMAPWorld([])
        for number in 1...5 { world.store.add(Array("Subject: \(number)\r\n\r\nbody\r\n".utf8), to: .inbox) }
        world.store.create(try #require(MailboxName(utf8: Array("Other".utf8))))
        var models = [1: ClientModel(), 2: ClientModel()]
        for client in [1, 2] {
            world.connected(client)
            _ = try send("STARTTLS", to: client, &world, &models)
            world.happened(.tls, on: client)
            _ = try send("LOGIN alice secret", to: client, &world, &models)
            _ = try send("SELECT INBOX", to: client, &world, &models)
        }
        for _ in 0..<80 {
            let client = Int.random(in: 1...2, using: &random)
            let command = randomCommand(&random, count: models[client]?.uids.count ?? 0)
            let reply = try send(command, to: client, &world, &models)
            #expect(!reply.contains("BAD"), "\(command): \(reply)")
        }
        for client in [1, 2] { try compare(client, &world, &models) }
    }

    /// Sends one command and reads until its reply, as a client does.
    private func send(
        _ command: String, to client: Int, _ world: inout IMAPWorld, _ models: inout [Int: ClientModel]
    ) throws -> String {
        models[client]?.forbidsExpunge = ["FETCH", "STORE", "SEARCH"].contains { command.hasPrefix($0) }
        world.received(Array("t \(command)\r\n".utf8)[...], on: client)
        models[client]?.read(world.output(of: client))
        models[client]?.forbidsExpunge = false
        let violation = models[client]?.violation
        #expect(violation == nil, "\(command): \(violation ?? "")")
        let reply = models[client]?.takeReply()
        return try #require(reply, "\(command) got no reply")
    }

    private func randomCommand(_ random: inout SeededGenerator, count: Int) -> String {
        let any = Int.random(in: 1...max(1, count), using: &random)
        let set = count == 0 ? "*" : ["\(any)", "\(any):*", "1:\(any)", "*"].randomElement(using: &random) ?? "*"
        let flag = ["\\Seen", "\\Deleted", "\\Flagged", "$Work"].randomElement(using: &random) ?? ""
        let uid = Int.random(in: 1...30, using: &random)
        let commands = [
            "NOOP", "CHECK", "EXPUNGE", "UID EXPUNGE \(uid):*", "FETCH \(set) (UID FLAGS)", "UID FETCH \(uid):* FLAGS",
            "STORE \(set) +FLAGS (\(flag))", "STORE \(set) -FLAGS.SILENT (\(flag))", "UID STORE \(uid) FLAGS (\(flag))",
            "SEARCH UNSEEN", "UID SEARCH TEXT body", "COPY \(set) INBOX", "COPY \(set) Other", "UID MOVE \(uid) Other",
            "FETCH \(set) (UID BODY[TEXT])", "FETCH \(set) RFC822.SIZE", "STATUS INBOX (MESSAGES)",
            "APPEND INBOX {6+}\r\nS: x\r\n",
        ]
        return commands.randomElement(using: &random) ?? "NOOP"
    }

    /// In the end, after a NOOP, what the client believes is what the store has.
    private func compare(_ client: Int, _ world: inout IMAPWorld, _ models: inout [Int: ClientModel]) throws {
        _ = try send("NOOP", to: client, &world, &models)
        _ = try send("FETCH 1:* (UID FLAGS)", to: client, &world, &models)
        let messages = world.store.mailboxes[.inbox]?.messages ?? []
        #expect(models[client]?.uids == messages.map { Optional($0.uid.value) })
        for (message, flags) in zip(messages, models[client]?.flags ?? []) {
            #expect(flags?.contains("\\Deleted") == message.flags.system.contains(.deleted))
            #expect(flags?.contains("\\Seen") == message.flags.system.contains(.seen))
        }
    }
}
