// mailctl account import: many accounts in one transaction, all or none.

import ArgumentParser
import Configuration
import DirectoryDatabase
import Kernel
import MailModel

struct AccountImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make many accounts at once, all or none.",
        discussion: """
            Each line is an address, a comma, tab, semicolon or colon, and a password or a hash with its scheme in front, \
            such as {SSHA256}… or {CRYPT}$6$…; a bare $…$ hash is taken as crypt(3)'s. Fields may stand in double quotes \
            as in CSV. Nothing after the address makes an account that cannot log in. Lines that begin with # and a \
            heading such as `address,password` are skipped. A password that begins with { or $ is written {PLAIN}….

            Of a password, {PLAIN} or not, a SCRAM verifier is kept, from which it cannot be had back. A hash is kept as it is: \
            such an account can log in with PLAIN and LOGIN, not with SCRAM, until its password is set anew.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "The file; - is stdin.") var file: String
    @Flag(help: "Make domains that are not ours yet ours.") var createDomains = false
    @Flag(help: "Leave accounts that exist as they are.") var skipExisting = false
    @Flag(help: "Keep {PLAIN} passwords readable, for whoever can read the directory, its backups and credentials.db.")
    var keepPlain = false

    /// A million accounts with long passwords fit.
    private static let maximumSize = 256 << 20

    func run() throws {
        let accounts = try AccountTable.parse(try contents(), keepingPlain: keepPlain)
        let summary = try options.withDirectory { (writer) throws(DirectoryError) in
            try writer.importAccounts(accounts, creatingDomains: createDomains, skippingExisting: skipExisting)
        }
        if summary.readable > 0 {
            Output.note("\(summary.readable) password\(summary.readable == 1 ? " is" : "s are") kept readable, as --keep-plain says")
        }
        options.report(
            "\(summary.added) account\(summary.added == 1 ? "" : "s") added, \(summary.skipped) were there, \(summary.domains) domains added",
            .object([
                "added": .number(summary.added), "skipped": .number(summary.skipped), "domains": .number(summary.domains),
                "readable": .number(summary.readable),
            ]))
    }

    private func contents() throws(Failure) -> [UInt8] {
        do throws(KernelError) {
            if file == "-" { return try StandardInput.readAll(limit: AccountImportCommand.maximumSize) }
            let path = Path(file).resolved(from: Identity.workingDirectory)
            return try DirectoryDescriptor(opening: path.parent).contents(of: path.lastComponent, limit: AccountImportCommand.maximumSize)
        } catch {
            throw Failure(
                error.permissionDenied ? .noPermission : .noInput, "\(error)",
                remedy: "name a file of at most 256 MiB that you may read and that is no link, or - for stdin; nothing was imported")
        }
    }
}

/// The lines of an import: addresses and secrets.
enum AccountTable {
    /// `keepingPlain`: `{PLAIN}` stays what it is.
    static func parse(_ text: [UInt8], keepingPlain: Bool = false) throws(Failure) -> [AccountImport] {
        var accounts: [AccountImport] = []
        for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty || line.first == UInt8(ascii: "#") || isHeading(line, at: index) { continue }
            guard let (name, secret) = fields(line), let address = EmailAddress(parsing: name) else {
                throw Failure(
                    .data, "line \(index + 1) does not begin with an address",
                    remedy: "write `alice@example.org,password`; nothing was imported")
            }
            accounts.append(AccountImport(address: address, password: password(secret, keepingPlain)))
        }
        return accounts
    }

    private static func isHeading(_ line: ArraySlice<UInt8>, at index: Int) -> Bool {
        index == 0 && !line.contains(UInt8(ascii: "@"))
    }

    private static func password(_ secret: [UInt8], _ keepingPlain: Bool) -> PasswordInput? {
        if secret.isEmpty { return nil }
        let isStored = secret.first == UInt8(ascii: "{") || secret.first == UInt8(ascii: "$") || secret.starts(with: Array("SCRAM-SHA-256$".utf8))
        return isStored ? .stored(secret, keepingPlain: keepingPlain) : .password(secret)
    }

    /// The first field, and the second or nothing. An unquoted last field is the rest of the line: passwords hold commas.
    private static func fields(_ line: ArraySlice<UInt8>) -> (name: [UInt8], secret: [UInt8])? {
        let separators = Array(",\t;:".utf8)
        let name: [UInt8]
        var rest: ArraySlice<UInt8>
        if let (value, after) = quoted(line) {
            (name, rest) = (value, after)
        } else {
            let end = line.firstIndex { separators.contains($0) } ?? line.endIndex
            (name, rest) = (Array(line[..<end]), line[end...])
        }
        guard let separator = rest.popFirst() else { return (name, []) }
        guard separators.contains(separator) else { return nil }
        if let (value, after) = quoted(rest), after.isEmpty { return (name, value) }
        return (name, Array(rest))
    }

    /// A field in double quotes, two of which stand for one (RFC 4180 §2), and what follows it.
    private static func quoted(_ text: ArraySlice<UInt8>) -> (value: [UInt8], rest: ArraySlice<UInt8>)? {
        guard text.first == UInt8(ascii: "\"") else { return nil }
        var value: [UInt8] = []
        var rest = text.dropFirst()
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "\"") {
                value.append(byte)
            } else if rest.first == UInt8(ascii: "\"") {
                value.append(byte)
                rest = rest.dropFirst()
            } else {
                return (value, rest)
            }
        }
        return nil
    }
}
