// The lines of an import: what they mean, and which line is wrong.

import DirectoryDatabase
import MailModel
import Testing
@testable import mailctl

@Suite struct AccountTableTests {
    @Test(arguments: [
        ("a@example.org,secret", PasswordInput.password(Array("secret".utf8))),
        ("a@example.org\tse,cr;et:", .password(Array("se,cr;et:".utf8))),
        ("a@example.org;s", .password([0x73])), ("a@example.org:s", .password([0x73])),
        ("\"a@example.org\",\"pa\"\"ss,word\"", .password(Array("pa\"ss,word".utf8))),
        ("a@example.org,\"half", .password(Array("\"half".utf8))),
        ("a@example.org,\"x\"y", .password(Array("\"x\"y".utf8))),
        ("a@example.org,{SSHA}abc", .stored(Array("{SSHA}abc".utf8))), ("a@example.org,$6$a$b", .stored(Array("$6$a$b".utf8))),
        ("a@example.org, ", .password([0x20])),
    ])
    func aLineIsAnAccount(_ line: String, _ password: PasswordInput) throws {
        for end in ["", "\n", "\r\n"] {
            let accounts = try AccountTable.parse(Array((line + end).utf8))
            #expect(accounts.map(\.address) == [EmailAddress("a@example.org")])
            #expect(accounts.map(\.password) == [password])
        }
    }

    @Test(arguments: [false, true]) func plainIsKeptReadableOnlyWhenThatIsSaid(_ keepsPlain: Bool) throws {
        let accounts = try AccountTable.parse(Array("a@example.org,{PLAIN}x\n".utf8), keepingPlain: keepsPlain)
        #expect(accounts.map(\.password) == [.stored(Array("{PLAIN}x".utf8), keepingPlain: keepsPlain)])
    }

    @Test func anAddressAloneCannotLogIn() throws {
        #expect(try AccountTable.parse(Array("a@example.org\nb@example.org,\n".utf8)).map(\.password) == [nil, nil])
    }

    @Test func headingsCommentsAndEmptyLinesMeanNothing() throws {
        let text = "address,password\n\n# b@example.org,x\na@example.org,x\n"
        #expect(try AccountTable.parse(Array(text.utf8)).count == 1)
    }

    @Test(arguments: ["a@example.org,x\nnonsense,x", "# c\n@,x", "a@example.org,x\n\"b@example.org\"x,y", "#\n\"a@example.org"])
    func aWrongLineIsNamed(_ text: String) {
        #expect { try AccountTable.parse(Array(text.utf8)) } throws: { error in
            (error as? Failure).map { $0.status == .data && $0.what.hasPrefix("line 2 ") } == true
        }
    }

    @Test(arguments: [
        ("127.0.0.1:25", "[127.0.0.1]:25"), ("127.0.0.1", "[127.0.0.1]"), ("mx.example.org:25", "mx.example.org:25"),
        ("[::1]:25", "[::1]:25"), ("1.2.3:25", "1.2.3:25"), ("1.2.3.256", "1.2.3.256"),
    ])
    func aBareAddressIsALiteral(_ text: String, _ host: String) { #expect(RouteAdd.bracketed(text) == host) }
}
