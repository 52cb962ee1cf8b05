//! Names, addresses and prose.

use fake::{
    Fake as _,
    faker::{
        address::en::{CityName, CountryCode, StreetName},
        company::en::{CompanyName, Profession},
        currency::en::CurrencyCode,
        filesystem::en::{FileName, MimeType},
        lorem::en::{Paragraph, Sentence, Word},
        name::en::{FirstName, LastName, Name},
        phone_number::en::PhoneNumber,
    },
};
use rand::{Rng, RngExt};

use super::{Distinct, Draw, Fake, Gives, Options, Takes};
use crate::model::Value;

const fn woven(
    name: &'static str,
    gives: Gives,
    summary: &'static str,
    make: fn(&Draw<'_>, &Options) -> Value,
) -> Fake {
    Fake { name, summary, gives, takes: Takes::Nothing, distinct: Distinct::Woven, make }
}

pub(super) const FAKES: &[Fake] = &[
    woven("name", Gives::Prose, "first and last name", |draw, _| text(Name().fake_with_rng(&mut draw.rng()))),
    woven("first_name", Gives::Text, "first name", |draw, _| text(FirstName().fake_with_rng(&mut draw.rng()))),
    woven("last_name", Gives::Text, "last name", |draw, _| text(LastName().fake_with_rng(&mut draw.rng()))),
    woven("email", Gives::Text, "address at a reserved example domain", |draw, _| text(email(&mut draw.rng()))),
    woven("username", Gives::Text, "lower-case login", |draw, _| text(username(&mut draw.rng()))),
    woven("company", Gives::Prose, "company name", |draw, _| text(CompanyName().fake_with_rng(&mut draw.rng()))),
    woven("profession", Gives::Text, "line of work", |draw, _| text(Profession().fake_with_rng(&mut draw.rng()))),
    woven("street", Gives::Text, "street name", |draw, _| text(StreetName().fake_with_rng(&mut draw.rng()))),
    woven("city", Gives::Text, "city name", |draw, _| text(CityName().fake_with_rng(&mut draw.rng()))),
    woven("country_code", Gives::Text, "two letters", |draw, _| text(CountryCode().fake_with_rng(&mut draw.rng()))),
    woven("currency_code", Gives::Text, "three letters", |draw, _| text(CurrencyCode().fake_with_rng(&mut draw.rng()))),
    woven("time_zone", Gives::Text, "name in the zone database", |draw, _| text(pick(draw, ZONES).to_owned())),
    woven("locale", Gives::Text, "language tag", |draw, _| text(pick(draw, LOCALES).to_owned())),
    woven("phone", Gives::Text, "telephone number", |draw, _| text(PhoneNumber().fake_with_rng(&mut draw.rng()))),
    woven("domain", Gives::Text, "reserved host name", |draw, _| text(domain(&mut draw.rng()))),
    woven("url", Gives::Text, "https URL at a reserved domain", |draw, _| text(url(&mut draw.rng()))),
    woven("ipv4", Gives::Text, "address of a private network", |draw, _| text(ipv4(draw.number()))),
    woven("user_agent", Gives::Text, "browser or client", |draw, _| text(user_agent(draw))),
    woven("file_name", Gives::Text, "name with extension", |draw, _| text(FileName().fake_with_rng(&mut draw.rng()))),
    woven("mime_type", Gives::Text, "media type", |draw, _| text(MimeType().fake_with_rng(&mut draw.rng()))),
    woven("word", Gives::Prose, "one word", |draw, _| text(Word().fake_with_rng(&mut draw.rng()))),
    woven("title", Gives::Prose, "two to four words", |draw, _| text(title(&mut draw.rng()))),
    woven("sentence", Gives::Prose, "four to nine words", |draw, _| {
        text(Sentence(4..10).fake_with_rng(&mut draw.rng()))
    }),
    woven("paragraph", Gives::Prose, "two to four sentences", |draw, _| {
        text(Paragraph(2..5).fake_with_rng(&mut draw.rng()))
    }),
    woven("slug", Gives::Text, "words with hyphens", |draw, _| text(slug(&mut draw.rng()))),
    woven("version", Gives::Text, "three numbers", |draw, _| text(version(draw.number()))),
    woven("json_object", Gives::Json, "flat object of mixed values", |draw, _| text(json_object(&mut draw.rng()))),
];

const ZONES: &[&str] =
    &["UTC", "America/New_York", "America/Chicago", "Europe/Berlin", "Europe/London", "Asia/Tokyo", "Asia/Baku"];
const LOCALES: &[&str] = &["en", "en-GB", "de", "fr", "es", "ja", "ar", "az", "zh-Hant"];
const CLIENTS: &[&str] = &["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (Windows NT 10.0)", "okhttp", "curl"];

fn text(text: String) -> Value {
    Value::Text(text)
}

fn pick(draw: &Draw<'_>, from: &'static [&'static str]) -> &'static str {
    from[draw.below(from.len() as u64) as usize]
}

fn lower_first_name(rng: &mut impl Rng) -> String {
    FirstName().fake_with_rng::<&str, _>(rng).to_lowercase()
}

fn email(rng: &mut impl Rng) -> String {
    let last: &str = LastName().fake_with_rng(rng);
    let last: String = last.chars().filter(char::is_ascii_alphabetic).collect();
    let zone = ["com", "net", "org"][rng.random_range(0..3)];
    format!("{}.{}@example.{zone}", lower_first_name(rng), last.to_lowercase())
}

fn username(rng: &mut impl Rng) -> String {
    format!("{}_{}", lower_first_name(rng), Word().fake_with_rng::<&str, _>(rng))
}

fn domain(rng: &mut impl Rng) -> String {
    format!("{}.example.com", Word().fake_with_rng::<&str, _>(rng))
}

fn url(rng: &mut impl Rng) -> String {
    let (area, page): (&str, &str) = (Word().fake_with_rng(rng), Word().fake_with_rng(rng));
    format!("https://{}/{area}/{page}", domain(rng))
}

fn ipv4(number: u64) -> String {
    let [a, b, c, ..] = number.to_le_bytes();
    format!("10.{a}.{b}.{c}")
}

fn user_agent(draw: &Draw<'_>) -> String {
    format!("{}/{}", pick(draw, CLIENTS), version(draw.number()))
}

fn title(rng: &mut impl Rng) -> String {
    let words: Vec<&str> = (0..rng.random_range(2..5)).map(|_| Word().fake_with_rng(rng)).collect();
    let mut title = words.join(" ");
    title[..1].make_ascii_uppercase();
    title
}

fn slug(rng: &mut impl Rng) -> String {
    format!("{}-{}", Word().fake_with_rng::<&str, _>(rng), Word().fake_with_rng::<&str, _>(rng))
}

fn version(number: u64) -> String {
    let [major, minor, patch, ..] = number.to_le_bytes();
    format!("{}.{}.{}", major % 10, minor % 30, patch % 50)
}

fn json_object(rng: &mut impl Rng) -> String {
    let mut json = String::from("{");
    for position in 0..rng.random_range(1..5) {
        if position > 0 {
            json.push(',');
        }
        // The position keeps the keys of one object apart.
        json.push_str(&format!("\"{}{position}\":", Word().fake_with_rng::<&str, _>(rng)));
        json.push_str(&match rng.random_range(0..5) {
            0 => rng.random_range(-1000..1000_i32).to_string(),
            1 => format!("{}.{}", rng.random_range(0..100_u32), rng.random_range(1..10_u32)),
            2 => rng.random::<bool>().to_string(),
            3 => "null".to_owned(),
            _ => format!("\"{}\"", Word().fake_with_rng::<&str, _>(rng)),
        });
    }
    json.push('}');
    json
}
