//! Bodies of requests, every part of them bounded.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use lambda_http::Request;
use lambda_http::http::{HeaderMap, header};
use ledger::{
    Amount, Day, Direction, MAX_DECIMALS, MoneyError, Note, ProductCode, Target, Timestamp,
};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::parameters::finished;
use crate::error::{Error, Invalid};
use crate::exact::exact;
use crate::record::{UsageWords, WrittenAmount};
use crate::stamp;

/// Longest body of a JSON request.
const MAX_BODY: usize = 64 * 1024;
/// Longest object of texts, so that a page of a hundred orders fits into Lambda's 6 MB.
const MAX_TEXTS: usize = 8 * 1024;

/// Most entries of a client's own words.
const MAX_METADATA: usize = 40;

/// The fields of a JSON body, taken one by one; what is left over is an error.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

/// A JSON value as it was read: an object with a field that is there twice is none, since of two amounts neither is meant.
enum Plain {
    One(Value),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
    Twice,
}

/// The fields of a request's JSON body.
///
/// # Errors
/// `unsupported_media_type`, `body_too_large`, `invalid_json`.
pub fn json_body(request: &Request) -> Result<Fields, Error> {
    must_be_json(request)?;
    Ok(Fields::of(read_object(bytes(request, MAX_BODY)?)?)?)
}

/// The charges of a request that asks for many, each of them by itself.
///
/// # Errors
/// As [`json_body`] and [`charge_items`].
pub fn json_charges(
    request: &Request,
    most: usize,
    longest: usize,
) -> Result<Vec<Result<Fields, Error>>, Error> {
    must_be_json(request)?;
    charge_items(bytes(request, longest)?, most)
}

/// The charges of `{"charges": [{…}, …]}`, each of them by itself.
///
/// # Errors
/// `invalid_json`; `missing_field` without the list, `invalid_field` if it is none, is empty or longer than
/// `most`; `unknown_field`. Of one charge: `invalid_field` for what is no object, `invalid_json` for a field twice.
pub fn charge_items(body: &[u8], most: usize) -> Result<Vec<Result<Fields, Error>>, Error> {
    const NAME: &str = "charges";
    let mut fields = read_object(body)?;
    let wrong = |code, detail: String| Error::from(Invalid::field(code, NAME, detail));
    let of_objects = || wrong("invalid_field", format!("must be a list of 1 to {most} objects"));
    let list = match fields.remove(NAME) {
        None | Some(Plain::One(Value::Null)) => {
            Err(wrong("missing_field", "is required".to_owned()))
        }
        Some(Plain::List(list)) if (1..=most).contains(&list.len()) => Ok(list),
        Some(_) => Err(of_objects()),
    };
    finished(fields.keys().next())?;
    let item = |(position, item)| {
        let read = match item {
            Plain::Object(fields) => Fields::of(fields),
            Plain::Twice => Err(twice()),
            Plain::One(_) | Plain::List(_) => {
                Err(Invalid::field("invalid_field", NAME, "must be an object"))
            }
        };
        // Which of a thousand it is.
        let field = Some(format!("{NAME}[{position}]"));
        read.map_err(|invalid| Invalid { field, ..invalid }.into())
    };
    Ok(list?.into_iter().enumerate().map(item).collect())
}

/// Refuses a body where none is expected: whoever sends one means something by it. An empty object means nothing.
///
/// # Errors
/// As [`json_body`]; `unknown_field`.
pub fn no_body(request: &Request) -> Result<(), Error> {
    match bytes(request, MAX_BODY)?.is_empty() {
        true => Ok(()),
        false => json_body(request)?.finish(),
    }
}

fn must_be_json(request: &Request) -> Result<(), Invalid> {
    let detail = "send Content-Type: application/json".to_owned();
    let wrong = Invalid { code: "unsupported_media_type", field: None, detail };
    if media_type(request.headers()) == "application/json" { Ok(()) } else { Err(wrong) }
}

/// Reads a body that is an object.
fn read_object(body: &[u8]) -> Result<BTreeMap<String, Plain>, Invalid> {
    match serde_json::from_slice(body) {
        Ok(Plain::Object(fields)) => Ok(fields),
        Ok(Plain::Twice) => Err(twice()),
        Ok(Plain::One(_) | Plain::List(_)) => Err(invalid_json("it must be a JSON object")),
        Err(error) => Err(invalid_json(error)),
    }
}

fn twice() -> Invalid {
    invalid_json("a field is there twice")
}

fn invalid_json(problem: impl fmt::Display) -> Invalid {
    Invalid { code: "invalid_json", field: None, detail: format!("the body: {problem}") }
}

/// The media type of a request's body, without its parameters and in lower case.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> String {
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether API Gateway passes a body of this type on as text, whatever its bytes are; else in base64. What becomes of
/// bytes that are no text is not documented: they do not come through whole
/// (<https://aws.amazon.com/blogs/compute/handling-binary-data-using-amazon-api-gateway-http-apis/>).
#[must_use]
pub fn passes_as_text(media_type: &str) -> bool {
    let texts = ["application/javascript", "application/json", "application/xml"];
    media_type.starts_with("text/") || texts.contains(&media_type)
}

/// The bytes of a request's body that may be anything.
///
/// # Errors
/// `unsupported_media_type` for a type of which bytes can get lost on the way; `body_too_large`.
pub fn binary(request: &Request, longest: usize) -> Result<&[u8], Error> {
    if passes_as_text(&media_type(request.headers())) {
        let detail = "send the Content-Type of the file, or application/octet-stream: text is not passed on byte by byte";
        let detail = detail.to_owned();
        return Err(Invalid { code: "unsupported_media_type", field: None, detail }.into());
    }
    bytes(request, longest)
}

/// The bytes of a request's body.
///
/// # Errors
/// `body_too_large`.
pub fn bytes(request: &Request, longest: usize) -> Result<&[u8], Error> {
    let body: &[u8] = request.body().as_ref();
    match body.len() <= longest {
        true => Ok(body),
        false => {
            let detail = format!("at most {longest} bytes");
            Err(Invalid { code: "body_too_large", field: None, detail }.into())
        }
    }
}

impl Plain {
    fn value(self) -> Result<Value, Invalid> {
        Ok(match self {
            Self::One(value) => value,
            Self::List(list) => list.into_iter().map(Self::value).collect::<Result<_, _>>()?,
            Self::Object(fields) => Value::Object(Fields::of(fields)?.0),
            Self::Twice => return Err(twice()),
        })
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<Json: Deserializer<'de>>(json: Json) -> Result<Self, Json::Error> {
        struct Plainly;

        impl<'de> Visitor<'de> for Plainly {
            type Value = Plain;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Plain, E> {
                Ok(Plain::One(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Plain, E> {
                Ok(Plain::One(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Plain, E> {
                Ok(Plain::One(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Plain, E> {
                Ok(Plain::One(value.into()))
            }

            #[expect(
                clippy::disallowed_types,
                reason = "so reads the crate a fraction; no field takes one"
            )]
            fn visit_f64<E>(self, value: f64) -> Result<Plain, E> {
                Ok(Plain::One(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Plain, E> {
                Ok(Plain::One(value.into()))
            }

            fn visit_string<E>(self, value: String) -> Result<Plain, E> {
                Ok(Plain::One(value.into()))
            }

            fn visit_seq<Json: SeqAccess<'de>>(self, mut json: Json) -> Result<Plain, Json::Error> {
                let mut values = Vec::new();
                while let Some(value) = json.next_element()? {
                    values.push(value);
                }
                Ok(Plain::List(values))
            }

            fn visit_map<Json: MapAccess<'de>>(self, mut json: Json) -> Result<Plain, Json::Error> {
                let (mut fields, mut twice) = (BTreeMap::new(), false);
                while let Some((name, value)) = json.next_entry()? {
                    twice |= fields.insert(name, value).is_some();
                }
                Ok(if twice { Plain::Twice } else { Plain::Object(fields) })
            }
        }

        json.deserialize_any(Plainly)
    }
}

impl Fields {
    fn of(fields: BTreeMap<String, Plain>) -> Result<Self, Invalid> {
        let fields = fields.into_iter().map(|(name, value)| Ok((name, value.value()?)));
        fields.collect::<Result<_, _>>().map(Self)
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// `missing_field`, or `invalid_field` if it is no text.
    pub fn text(&mut self, name: &str) -> Result<String, Error> {
        self.optional_text(name)?
            .ok_or_else(|| Invalid::field("missing_field", name, "is required").into())
    }

    /// A text that may be missing or null.
    ///
    /// # Errors
    /// `invalid_field` if it is there and no text.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<String>, Error> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Invalid::field("invalid_field", name, "must be a string").into()),
        }
    }

    /// A text that `parse` understands, without the blanks at its ends.
    ///
    /// # Errors
    /// `missing_field`, or `invalid_field` with what it must be.
    pub fn parsed<T, E: fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Error> {
        self.optional_parsed(name, parse)?
            .ok_or_else(|| Invalid::field("missing_field", name, "is required").into())
    }

    /// A text that may be missing or null, and that `parse` understands.
    ///
    /// # Errors
    /// `invalid_field` with what it must be.
    pub fn optional_parsed<T, E: fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Error> {
        let text = self.optional_text(name)?;
        let parsed = text.map(|text| parse(text.trim())).transpose();
        parsed.map_err(|error| Invalid::field("invalid_field", name, error.to_string()).into())
    }

    /// A day, such as `2026-11-23`.
    ///
    /// # Errors
    /// `missing_field` or `invalid_field`.
    pub fn day(&mut self, name: &str) -> Result<Day, Error> {
        self.parsed(name, |text| stamp::parse_day(text).ok_or("must be a day such as 2026-11-23"))
    }

    /// A moment that may be missing or null.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn optional_moment(&mut self, name: &str) -> Result<Option<Timestamp>, Error> {
        let rule = "must be a time such as 2026-11-23T13:00:00Z";
        self.optional_parsed(name, |text| stamp::parse(text).ok_or(rule))
    }

    /// True or false; false if it is missing or null.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn flag(&mut self, name: &str) -> Result<bool, Error> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(Invalid::field("invalid_field", name, "must be true or false").into()),
        }
    }

    /// Any value of its own shape; none if it is missing or null.
    ///
    /// # Errors
    /// `invalid_field` with what is wrong inside of it.
    pub fn optional_value<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Error> {
        let value = self.0.remove(name).filter(|value| !value.is_null());
        let read = value.map(exact).transpose();
        read.map_err(|problem| Invalid::field("invalid_field", name, problem).into())
    }

    /// Any value of its own shape, that must be there.
    ///
    /// # Errors
    /// `missing_field`, or `invalid_field` with what is wrong inside of it.
    pub fn value<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Error> {
        self.optional_value(name)?
            .ok_or_else(|| Invalid::field("missing_field", name, "is required").into())
    }

    /// A whole number among these.
    ///
    /// # Errors
    /// `missing_field`, or `invalid_field` with what it must be.
    pub fn whole(&mut self, name: &str, among: &RangeInclusive<u64>) -> Result<u64, Error> {
        let number = self.value::<Value>(name)?.as_u64().filter(|number| among.contains(number));
        let detail = || format!("must be a whole number from {} to {}", among.start(), among.end());
        Ok(number.ok_or_else(|| Invalid::field("invalid_field", name, detail()))?)
    }

    /// An amount of money: a string, because a JSON number would be read as a float.
    ///
    /// # Errors
    /// `missing_field`; `invalid_amount` for a number or anything that is not plain digits;
    /// `amount_out_of_range` for zero and for what no account can hold.
    pub fn amount(&mut self, name: &str) -> Result<WrittenAmount, Error> {
        if self.0.get(name).is_some_and(Value::is_number) {
            let detail = "must be a string, such as \"100.00\", not a number";
            return Err(Invalid::field("invalid_amount", name, detail).into());
        }
        let text = self.text(name)?;
        let amount = Amount::parse(&text, MAX_DECIMALS).map_err(|error| {
            let code = match error {
                MoneyError::NotPositive | MoneyError::TooLarge => "amount_out_of_range",
                _ => "invalid_amount",
            };
            Invalid::field(code, name, error.to_string())
        })?;
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        Ok(WrittenAmount { amount, decimals: u32::try_from(decimals).unwrap_or(u32::MAX) })
    }

    /// An amount of money that may be missing or null.
    ///
    /// # Errors
    /// As [`Fields::amount`].
    pub fn optional_amount(&mut self, name: &str) -> Result<Option<WrittenAmount>, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => {
                self.0.remove(name);
                Ok(None)
            }
            Some(_) => self.amount(name).map(Some),
        }
    }

    /// A signed amount of an adjustment.
    ///
    /// # Errors
    /// As [`Fields::amount`].
    pub fn signed_amount(&mut self, name: &str) -> Result<(Direction, Amount), Error> {
        let text = self.0.get(name).and_then(Value::as_str);
        let taken_out = text.and_then(|text| text.strip_prefix('-')).map(str::to_owned);
        let direction = if taken_out.is_some() { Direction::Out } else { Direction::In };
        if let Some(amount) = taken_out {
            self.0.insert(name.to_owned(), Value::String(amount));
        }
        Ok((direction, self.amount(name)?.amount))
    }

    /// A product that money is moved to or used of.
    ///
    /// # Errors
    /// `missing_field`; `unknown_product` for what cannot be the code of one.
    pub fn product(&mut self, name: &str) -> Result<ProductCode, Error> {
        let detail = "there is no such product; GET /v1/products lists them";
        let unknown = || Invalid::field("unknown_product", name, detail);
        Ok(ProductCode::parse(&self.text(name)?).map_err(|_| unknown())?)
    }

    /// What a client says about a use of a product: `description` and `metadata`.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn usage_words(&mut self) -> Result<UsageWords, Error> {
        let description = self.optional_parsed("description", Note::parse)?;
        Ok(UsageWords { description, metadata: self.metadata()? })
    }

    /// The client's own words: `metadata`.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn metadata(&mut self) -> Result<BTreeMap<String, String>, Error> {
        self.texts("metadata", MAX_METADATA)
    }

    /// A balance of an account: `wallet` or `product:<code>`.
    ///
    /// # Errors
    /// `missing_field` or `invalid_field`.
    pub fn balance(&mut self, name: &str) -> Result<Target, Error> {
        self.parsed(name, Target::parse)
    }

    /// Names and texts, at most `most` of them.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn texts(&mut self, name: &str, most: usize) -> Result<BTreeMap<String, String>, Error> {
        let wrong = |detail: String| Error::from(Invalid::field("invalid_field", name, detail));
        let fields = match self.0.remove(name) {
            None | Some(Value::Null) => return Ok(BTreeMap::new()),
            Some(Value::Object(fields)) if fields.len() <= most => fields,
            Some(_) => {
                return Err(wrong(format!("must be an object of at most {most} strings")));
            }
        };
        let rule = "keys have 1 to 40 characters, values are strings of at most 500";
        if Value::Object(fields.clone()).to_string().len() > MAX_TEXTS {
            return Err(wrong(format!("must be at most {MAX_TEXTS} bytes of JSON")));
        }
        let texts = fields.into_iter().map(|(key, value)| match value {
            Value::String(text)
                if (1..=40).contains(&key.chars().count()) && text.chars().count() <= 500 =>
            {
                Ok((key, text))
            }
            _ => Err(wrong(rule.to_owned())),
        });
        texts.collect()
    }

    /// Refuses what nobody asked for: a misspelt field must not be dropped in silence.
    ///
    /// # Errors
    /// `unknown_field` with its name.
    pub fn finish(self) -> Result<(), Error> {
        finished(self.0.keys().next())
    }
}
