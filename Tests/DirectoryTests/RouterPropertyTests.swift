// Random alias graphs, full of cycles: routing ends, names nobody twice, loses nobody, and each path is a real one.

import MailModel
import MailTestKit
import Testing

@testable import Directory

struct RouterPropertyTests {
    /// Who can be reached, found the slow way: follow every edge, keep accounts and remotes.
    private func reachable(from start: EmailAddress, in book: MemoryBook) -> Set<EmailAddress> {
        var seen: Set<EmailAddress> = []
        var waiting = [start]
        var found: Set<EmailAddress> = []
        while let address = waiting.popLast() {
            guard seen.insert(address).inserted else { continue }
            if !book.domains.keys.contains(address.domain.description) { found.insert(address); continue }
            var entry = book.entries[address.canonical] ?? .nothing
            if entry == .nothing, let user = address.subaddress(separator: UInt8(ascii: "+"))?.user {
                entry = book.entries[user.canonical] ?? .nothing
            }
            if entry == .nothing { entry = book.entries[Array("@".utf8) + address.domain.bytes] ?? .nothing }
            if entry.targets.isEmpty, let account = entry.account { found.insert(account.address) }
            waiting += entry.targets
        }
        return found
    }

    private func randomBook(_ generator: inout SeededGenerator) -> (MemoryBook, [EmailAddress]) {
        var book = MemoryBook()
        let size = Int.random(in: 1...12, using: &generator)
        let names = (0..<size).map { "n\($0)@example.org" }
        let pool = names + names.map { $0.replacing("@", with: "+t@") } + ["far@example.net", "nobody@example.org"]
        for name in names {
            let kind = Int.random(in: 0..<6, using: &generator)
            if kind < 2 { book.account(name) }
            if kind > 0 {
                let targets = (0..<Int.random(in: 1...4, using: &generator)).compactMap { _ in pool.randomElement(using: &generator) }
                book.entries[address(name).canonical, default: .nothing].targets = targets.map { address($0) }
            }
        }
        if Bool.random(using: &generator), let target = pool.randomElement(using: &generator) { book.alias("@example.org", target) }
        return (book, pool.map { address($0) })
    }

    @Test func anyGraphEndsAndReachesWhomItShould() throws {
        var generator = SeededGenerator()
        for _ in 0..<3000 {
            let (book, starts) = randomBook(&generator)
            for start in starts {
                guard case .routed(let route) = try Router(postmaster: nil).route(start, in: book) else { continue }
                let found = route.accounts.map(\.account.address) + route.remotes.map(\.address)
                #expect(Set(found).count == found.count)
                // Plain ends are all found; an account with an alias is found only where the alias leads back.
                #expect(reachable(from: start, in: book).isSubset(of: found), "\(start) in \(book.entries)")
            }
        }
    }

    @Test func eachPathIsARealOne() throws {
        var generator = SeededGenerator()
        for _ in 0..<2000 {
            let (book, starts) = randomBook(&generator)
            for start in starts {
                guard case .routed(let route) = try Router(postmaster: nil).route(start, in: book) else { continue }
                let paths = route.accounts.map(\.path) + route.remotes.map(\.path) + route.refusals.map(\.path) + route.cycles
                for path in paths {
                    #expect(path.first == RouteStep(start, .recipient))
                    for (from, step) in zip(path, path.dropFirst()) { #expect(isStep(from.address, step, in: book)) }
                }
                for account in route.accounts {
                    #expect(account.path.last.map { book.entries[$0.address.canonical]?.account == account.account } == true
                        || account.path.last?.address.subaddress(separator: 0x2B) != nil)
                }
            }
        }
    }

    private func isStep(_ from: EmailAddress, _ step: RouteStep, in book: MemoryBook) -> Bool {
        switch step.reason {
        case .recipient: false
        case .alias: book.entries[from.canonical]?.targets.contains(step.address) == true
        case .subaddress: from.subaddress(separator: UInt8(ascii: "+"))?.user == step.address
        case .catchAll: book.entries[Array("@".utf8) + from.domain.bytes]?.targets.contains(step.address) == true
        case .role: false
        }
    }

    @Test func aDenseGraphCostsItsEdgesAndNotItsPaths() throws {
        // 300 addresses that name each other: 90,000 edges, and more paths than atoms.
        var book = MemoryBook()
        let all = (0..<300).map { address("n\($0)@example.org") }
        for name in all { book.entries[name.canonical] = AddressEntry(targets: all) }
        let result = try Router(postmaster: nil).route(all[0], in: book)
        #expect(result.summary == "~aliasLoop" || result.summary == "~tooManyResults")
    }
}
